#include <math.h>
typedef struct AiAttention { size_t n,width; const float*q,*k,*v; size_t row; float scale; float*y; size_t y_row; float*scratch; } AiAttention;
static inline size_t ai_attention_scratch(size_t n,size_t w){(void)w;return n;}
static inline void ai_attend(const AiAttention*a){for(size_t i=0;i<a->n;i++){float*s=a->scratch;for(size_t j=0;j<a->n;j++){float t=0;for(size_t d=0;d<a->width;d++)t+=a->q[i*a->row+d]*a->k[j*a->row+d];s[j]=t*a->scale;}ai_kernels()->softmax(s,s,1,a->n);for(size_t d=0;d<a->width;d++){float t=0;for(size_t j=0;j<a->n;j++)t+=s[j]*a->v[j*a->row+d];a->y[i*a->y_row+d]=t;}}}
