/*-------------------------------------------------------------------------
 * amx_tiles.h
 *		The tiles of AMX, as all that use them share them out.
 *
 * Tiles 0 to 3 are sums, 4 and 5 factors from rows, 6 and 7 factors from columns, 16 rows of 64
 * bytes each; 2, 3 and 5 belong to the lower rows.  The system gives tiles to a process that asks
 * for them (ai_cpu_has_amx) and makes room for them where a thread first uses them.  They are in
 * use during one kernel, and nobody else meets them.
 *-------------------------------------------------------------------------
 */
#ifndef AI_AMX_TILES_H
#define AI_AMX_TILES_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#define AMX_ROWS 16
#define AMX_BYTES 64
#define AMX_WORDS (AMX_BYTES / sizeof(uint32_t))

/* What the processor is told of its tiles */
typedef struct AmxConfig
{
	uint8_t		palette;
	uint8_t		start;
	uint8_t		reserved[14];
	uint16_t	row_bytes[16];
	uint8_t		rows[16];
} AmxConfig;

static inline void
configure_tiles(size_t n_upper, size_t n_lower)
{
	const size_t rows[8] = {
		n_upper, n_upper, n_lower, n_lower, n_upper, n_lower, AMX_ROWS, AMX_ROWS
	};
	AmxConfig	config = {.palette = 1};

	for (int i = 0; i < 8; i++)
	{
		config.rows[i] = (uint8_t) rows[i];
		config.row_bytes[i] = AMX_BYTES;
	}
	_tile_loadconfig(&config);
}

static inline void
clear_sums(void)
{
	_tile_zero(0);
	_tile_zero(1);
	_tile_zero(2);
	_tile_zero(3);
}

#endif							/* AI_AMX_TILES_H */
