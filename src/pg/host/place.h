/*-------------------------------------------------------------------------
 * place.h
 *		The directory of the files that sessions share.
 *
 * The default place is among the server's temporary files: base backups and
 * pg_rewind skip it by its name, and the server empties it when it starts.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_PLACE_H
#define AIAAS_PLACE_H

/* aiaas.cache_directory, or the default */
extern const char *aiaas_place(void);

/* NULL, or with errno the path of the directory that cannot be made */
extern const char *aiaas_place_make(void);

#endif							/* AIAAS_PLACE_H */
