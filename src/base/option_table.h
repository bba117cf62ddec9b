/*
 * option_table.h
 *		The table of all options; for option.c only.
 */
#ifndef PGML_BASE_OPTION_TABLE_H
#define PGML_BASE_OPTION_TABLE_H

#include "postgres.h"

/* Where an option may stand. */
#define AT_SERVER	0x01
#define AT_TABLE	0x02
#define AT_COLUMN	0x04
#define AT_MAPPING	0x08
#define AT_IMPORT	0x10

/* What its value looks like. */
typedef enum OptionKind
{
	KIND_STRING,
	KIND_BOOL,
	KIND_COUNT,					/* integer above zero */
	KIND_COST,					/* number, zero or more */
	KIND_EXTENSIONS,			/* comma-separated names of extensions */
	KIND_SAMPLING,				/* name of a PgmlSampling */
	KIND_TRANSPORT,				/* name of a PgmlTransport */
	KIND_QUERY,					/* text of one SELECT */
	KIND_INSERT_METHOD,			/* name of a PgmlInsertMethod */
	KIND_ROW_IDENTITY			/* name of a PgmlRowIdentity */
} OptionKind;

/* Other properties. */
#define IS_LIBPQ			0x01	/* handed on to libpq */
#define SUPERUSER_IN_MAPPING 0x02	/* a mapping may have it by a superuser's hand only */
#define SUPERUSER_TO_WAIVE	0x04	/* only a superuser may say false */

typedef struct PgmlOption
{
	const char *name;
	int			places;
	OptionKind	kind;
	int			flags;
	int			field;			/* offset in the struct that readers fill, or NO_FIELD */
	const char *doc;
} PgmlOption;

#define NO_FIELD (-1)
#define FIELD(f) ((int) offsetof(PgmlOptions, f))
#define IMPORT_FIELD(f) ((int) offsetof(PgmlImportOptions, f))

/* Find an option that may stand at one of these places; NULL if there is none. */
extern const PgmlOption *pgml_option_find(const char *name, int places);

/*
 * Find the name that is most like an unknown one: at most half of its letters,
 * and at most 4, differ.  NULL if none is.
 */
extern const char *pgml_option_closest_name(const char *unknown, int places);

/* Name the (first) place where an option may stand, for a message. */
extern const char *pgml_option_place_name(const PgmlOption *option);

#endif							/* PGML_BASE_OPTION_TABLE_H */
