/*
 * drain.c
 *		The floor: a bare client that reads a query's rows by COPY BINARY and
 *		forgets them.
 *
 *	drain CONNINFO QUERY
 *
 * Prints the milliseconds as psql's \timing does, without those for connecting.
 * psql itself would need up to a tenth more, for writing to /dev/null.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <libpq-fe.h>

static double
milliseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static void
check(PGconn *conn, int ok)
{
	if (ok)
		return;
	fprintf(stderr, "drain: %s", PQerrorMessage(conn));
	exit(1);
}

int
main(int argc, char **argv)
{
	PGconn	   *conn;
	PGresult   *res;
	char		command[1024];
	char	   *row;
	int			len;
	double		start;

	if (argc != 3)
		return 2;
	conn = PQconnectdb(argv[1]);
	check(conn, PQstatus(conn) == CONNECTION_OK);

	/* a large value makes libpq's input buffer large, for good */
	PQclear(PQexec(conn, "SELECT repeat(' ', 1000000)"));

	snprintf(command, sizeof(command), "COPY (%s) TO STDOUT (FORMAT binary)", argv[2]);
	start = milliseconds();
	res = PQexec(conn, command);
	check(conn, PQresultStatus(res) == PGRES_COPY_OUT);
	PQclear(res);
	while ((len = PQgetCopyData(conn, &row, 0)) > 0)
		PQfreemem(row);
	res = PQgetResult(conn);
	check(conn, len == -1 && PQresultStatus(res) == PGRES_COMMAND_OK);
	PQclear(res);
	printf("Time: %.3f ms\n", milliseconds() - start);
	PQfinish(conn);
	return 0;
}
