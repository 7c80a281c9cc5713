/*-------------------------------------------------------------------------
 * cores.h
 *		How many cores this process may use.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_CORES_H
#define AIAAS_CORES_H

/* At least 1; asked once in the life of the process */
extern int	aiaas_n_cores(void);

#endif							/* AIAAS_CORES_H */
