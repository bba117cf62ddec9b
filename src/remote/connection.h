/*
 * connection.h
 *		One connection to a remote PostgreSQL: how it is made, proved to be
 *		allowed, and ended.
 *
 * A PgmlConn is a slot: it exists before the network connection does and
 * survives it.  It is made without touching the network; the first command
 * connects (pgml_connection_ensure), and a slot whose network connection was
 * lost or dropped connects again at the next first command.  So a scan may
 * hold a PgmlConn from its start, and scans that are never run never connect.
 */
#ifndef PGML_REMOTE_CONNECTION_H
#define PGML_REMOTE_CONNECTION_H

#include "postgres.h"
#include "datatype/timestamp.h"
#include "foreign/foreign.h"
#include "lib/ilist.h"
#include "lib/stringinfo.h"
#include "nodes/pg_list.h"
#include "utils/memutils.h"

struct pg_conn;					/* libpq's PGconn */
struct pg_result;				/* libpq's PGresult */

/* What one reader has had of the wire. */
typedef struct PgmlUsage
{
	int64		rows;			/* rows received; the reader counts them */
	int64		bytes;			/* payload bytes of them */
	int64		round_trips;	/* as in base/stats.h */
	double		waited_ms;		/* time in which there was nothing to do but wait for the remote */
} PgmlUsage;

/*
 * Whoever reads or writes a stream on a connection is its occupant.  When
 * somebody else needs the wire, park is called: it must take what is left of
 * the stream to where it can be used later and leave the connection free
 * (pgml_conn_vacate has been called when it returns), or throw.
 */
typedef struct PgmlOccupant PgmlOccupant;
struct PgmlOccupant
{
	void		(*park) (PgmlOccupant *self);

	/*
	 * Of a COPY FROM STDIN, and may be NULL: which row is meant by the remote's
	 * context of an error, for a message?  In the current context, or NULL.
	 */
	char	   *(*name_row) (PgmlOccupant *self, const char *remote_context);

	PgmlUsage  *usage;			/* what the stream has cost is added here; may be NULL */
	const void *reader;			/* who reads the stream; NULL: nobody that others know */
};

/* What the wire of a connection is busy with. */
typedef enum PgmlWire
{
	PGML_WIRE_IDLE,				/* a command can be sent */
	PGML_WIRE_COMMAND,			/* a command was sent, results are awaited */
	PGML_WIRE_COPY_OUT,			/* rows of a COPY TO STDOUT are coming */
	PGML_WIRE_ROWS,				/* rows of a query in single-row mode are coming */
	PGML_WIRE_COPY_IN			/* rows of a COPY FROM STDIN are going */
} PgmlWire;

/* What the remote can do; filled once per network connection. */
/* Do prepared statements have on the server the names that we give them? (prepared.c) */
typedef enum PgmlNames
{
	PGML_NAMES_UNKNOWN,
	PGML_NAMES_KEPT,
	PGML_NAMES_CHANGED			/* by a pooler */
} PgmlNames;

typedef struct PgmlCaps
{
	int			server_version; /* as PQserverVersion: 150004 */
	bool		sql_ascii;		/* its database encoding is SQL_ASCII: text is unchecked there */
	PgmlNames	names;
} PgmlCaps;

/* Types of extensions whose binary form is known; exttype.c has their names. */
#define PGML_NUM_EXTTYPES 3

/*
 * One statement that must run before the next command, sent in the same
 * flush.  When it has succeeded, the remote transaction is depth_after levels
 * deep (-1: as before).  level is the local nest level that asked for it.
 */
typedef struct PgmlStep
{
	char	   *sql;			/* without a trailing semicolon */
	char	   *prepare;		/* not NULL: sql is to be prepared under this name */
	int			nparams;		/* of the statement to prepare */
	Oid		   *types;
	bool		finds_name;		/* it returns a row if the statement before it has its name there */
	int			level;
	int			depth_after;
} PgmlStep;

typedef struct PgmlConn PgmlConn;
struct PgmlConn
{
	dlist_node	node;			/* in pgml_connections */
	MemoryContext cxt;			/* holds this struct and all that belongs to it */
	MemoryContextCallback on_delete;
	struct pg_conn *pg;			/* NULL: not connected */
	bool		established;	/* pg has been connected and has passed the checks */
	Oid			serverid;		/* InvalidOid: made from a connection string */
	Oid			umid;
	Oid			userid;			/* whose mapping; whose privileges are judged */
	bool		of_superuser;	/* userid was one when pg was connected */
	char	   *name;			/* of the server, for messages */
	char	   *conninfo;		/* the connection string of a connection without server */
	bool		trust_password; /* dblink_connect_u: don't insist on a password */
	int			patience_ms;	/* how long connecting may take, besides connect_timeout; 0: any time */
	TimestampTz ask_after;		/* don't ask it for sizes before; plan/size.c's */
	PgmlCaps	caps;

	/* the wire */
	PgmlWire	wire;
	PgmlOccupant *occupant;		/* who is streaming; NULL: nobody, or gone without a word */
	List	   *waiting;		/* PgmlOccupant with rows that must be there before the next command */
	uint32		notices;		/* counts what the remote has to remark */
	int			wire_level;		/* local nest level that sent what is on the wire */
	bool		pipelined;		/* it was sent in libpq's pipeline mode */
	bool		open_ended;		/* and more may be added to it: its Sync hasn't been sent */
	int			due;			/* commands of such a train whose answers haven't been taken */
	bool		as_text;		/* the rows of a pipeline come one by one, in text form */
	bool		async;			/* its rows are left for later, beyond the end of the transaction */
	bool		midway;			/* some rows of the statement have been read; the rest is skipped, never cancelled */
	TimestampTz last_sent;		/* when the last message left, or the connection was made */
	bool		unawaited;		/* flushed, and nobody has waited for the answer yet */
	bool		described;		/* the rows of a stream have been described by a first result */
	bool		copying;		/* a COPY's rows have begun to come, or may go */
	uint64		copied;			/* how many bytes of them have come, if they are awaited */
	bool		guarded;		/* a savepoint stands below the stream on the wire */
	char	   *sql;			/* start of the command on the wire, for error messages */
	char	   *copybuf;		/* libpq's memory of the last CopyData message */
	struct WaitEventSet *waits; /* for reading, on the socket waits_on; may be NULL */
	int			waits_on;		/* -1: waits isn't complete */
	bool		rolling_back;	/* a ROLLBACK is on the wire whose end is to be waited for */
	struct PgmlResult *row;		/* wrapper of the row that pgml_rows_next handed out */
	struct pg_result *kept;		/* last result of the message on the wire, so far */
	bool		has_come;		/* its next result has been taken from libpq already: */
	struct pg_result *come;		/* this one; NULL: the end of the message */

	/* the remote transaction; all 0 for a connection in autocommit */
	void		(*enlist) (PgmlConn *conn, int level); /* queues BEGIN, SAVEPOINT...; NULL: autocommit */
	int			depth;			/* remote transaction levels that are known to exist */
	uint32		xact;			/* counts the remote transactions of this slot */
	uint32		rollbacks;		/* counts its returns to a savepoint of a subtransaction */
	int			begin_level;	/* local nest level that began the remote transaction */
	bool		lost;			/* disconnected while the remote transaction was open */
	bool		doomed;			/* its remote transaction can only be rolled back whole */
	int			readers;		/* scans that are being read */
	bool		only_scans;		/* nothing but scans without row locks has run */
	bool		only_tables;	/* of plain tables, but for unknown_tables */
	List	   *known_tables;	/* what is known of remote tables; readonly.c's */
	List	   *unknown_tables; /* those that were read and aren't known yet */
	const char *late;			/* tag of a command on the wire that nobody has waited for: COMMIT; or NULL */
	bool		exttypes_known; /* has the remote been asked for these? */
	Oid			exttypes[PGML_NUM_EXTTYPES];	/* its OIDs of them */
	bool		wrote;			/* something was changed in the remote transaction */
	List	   *steps;			/* PgmlStep, to be sent with the next command */
	List	   *sent;			/* PgmlStep, sent, not yet known to have succeeded */
	List	   *prepared;		/* PgmlStep, done: the statements prepared on the remote */

	/* its life in the cache */
	uint32		server_hash;	/* of syscache keys, to recognise invalidations */
	uint32		mapping_hash;
	bool		stateless;		/* in autocommit, and holds no session state: may be replaced */
	bool		invalidated;	/* options changed: connect anew when it is free */
	bool		keep;			/* keep it open after the transaction */
	bool		parallel_commit;
	bool		release_early;	/* end the transaction with the last scan */
	uint32		used_in;		/* pgml_xact_number when it was last asked for */
	int			sources;		/* that point to the slot; they may outlive a failed transaction */
};

/*
 * Make a slot for a user mapping, or for a connection string (dblink), in a
 * memory context of its own below parent; deleting that context disconnects.
 * name: what messages call the other end, in the place of a server; or NULL.
 * Doesn't touch the network.
 */
extern PgmlConn *pgml_connection_create(UserMapping *mapping, MemoryContext parent);
extern PgmlConn *pgml_connection_create_string(const char *conninfo, const char *name,
											   bool trust_password, MemoryContext parent);

/*
 * Connect, if not connected: checks the security rules before and after.
 * Blocks (interruptibly), throws; on error the slot is disconnected.
 */
extern void pgml_connection_ensure(PgmlConn *conn);

/* Close the network connection at once; never throws.  The slot stays. */
extern void pgml_connection_drop(PgmlConn *conn);

/* Free the set of what is waited for, if there is one. */
extern void pgml_connection_free_waits(PgmlConn *conn);

/* Disconnect and free the slot; never throws. */
extern void pgml_connection_free(PgmlConn *conn);

/* Is the slot connected (and has the remote not been seen to go away)? */
extern bool pgml_connection_is_open(PgmlConn *conn);

/* Has the remote end gone?  Looks at the socket, sends nothing, never blocks. */
extern bool pgml_connection_is_dead(PgmlConn *conn);

/* Process ID of the remote backend, 0 if not connected. */
extern int	pgml_connection_remote_pid(PgmlConn *conn);

/*
 * Make the session of an idle connection in autocommit as if new, without
 * waiting for the answer; one in a transaction, or that can't, is closed.
 * Never throws.
 */
extern void pgml_connection_reset(PgmlConn *conn);

/* A parameter that the remote reports (server_encoding, DateStyle...); NULL if it doesn't. */
extern const char *pgml_connection_parameter(PgmlConn *conn, const char *name);

/* All slots of this backend, connected or not: dlist of PgmlConn.node. */
extern dlist_head pgml_connections;

#endif							/* PGML_REMOTE_CONNECTION_H */
