/*
 * security.c
 *		Who may connect with what.
 *
 * The danger that these rules close: libpq runs as the operating system user
 * of the server.  Without them, a role that may only create a user mapping could
 * let the server's own .pgpass, trust or peer rules, certificates or Kerberos
 * tickets open a door that the role itself has no key for.  So a role that is
 * not superuser must bring a secret of its own (judged before connecting, or
 * the server's account would already have been used), and that secret must be
 * what the remote asked for (judged after, before the first command).
 *
 * Whose connection it is, is said by conn->userid: for a foreign table in a
 * view that is the view's owner, not the session's user.
 *
 * A superuser may lift the rule for one mapping by password_required 'false'.
 * The validators of pgml_fdw and postgres_fdw let nobody else do that; where a
 * wrapper has another validator (dblink can name any server), the option has
 * not been guarded and doesn't count.
 */
#include "postgres.h"

#include "catalog/pg_foreign_server.h"
#include "commands/defrem.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "base/compat.h"
#include "remote/libpq.h"
#include "remote/security.h"

/* Parameters that point at key material of the server's account. */
static const char *const superuser_params[] = {"sslcert", "sslkey"};

void
pgml_security_check_usage(ForeignServer *server)
{
	AclResult	result = pgml_aclcheck(ForeignServerRelationId, server->serverid,
									   GetUserId(), ACL_USAGE);

	if (result != ACLCHECK_OK)
		aclcheck_error(result, OBJECT_FOREIGN_SERVER, server->servername);
}

/* Core's own message doesn't name the server before 17, nor what is to be done. */
UserMapping *
pgml_security_mapping(Oid userid, Oid serverid)
{
	if (!SearchSysCacheExists2(USERMAPPINGUSERSERVER, ObjectIdGetDatum(userid), ObjectIdGetDatum(serverid)) &&
		!SearchSysCacheExists2(USERMAPPINGUSERSERVER, ObjectIdGetDatum(InvalidOid), ObjectIdGetDatum(serverid)))
	{
		const char *server = GetForeignServer(serverid)->servername;
		const char *role = MappingUserName(userid);

		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("user mapping not found for user \"%s\", server \"%s\"", role, server),
				 errhint("Make one that has the login: CREATE USER MAPPING FOR %s SERVER %s OPTIONS (user '...', password '...').",
						 quote_identifier(role), quote_identifier(server))));
	}
	return GetUserMapping(userid, serverid);
}

/* Was the server's wrapper validated by rules that reserve options to superusers? */
static bool
options_were_guarded(ForeignServer *server)
{
	ForeignDataWrapper *fdw = GetForeignDataWrapper(server->fdwid);
	char	   *name = OidIsValid(fdw->fdwvalidator) ? get_func_name(fdw->fdwvalidator) : NULL;

	return name != NULL &&
		(strcmp(name, "pgml_fdw_validator") == 0 ||
		 strcmp(name, "postgres_fdw_validator") == 0);
}

/* Has a superuser said that this mapping needs no password? */
static bool
password_waived(ForeignServer *server, UserMapping *mapping)
{
	const char *value = pgml_option_mapping_value(mapping, "password_required");
	bool		required;

	return value != NULL && parse_bool(value, &required) && !required &&
		options_were_guarded(server);
}

bool
pgml_security_scram_passthrough(ForeignServer *server, UserMapping *mapping)
{
	const char *value = pgml_option_mapping_value(mapping, "use_scram_passthrough");
	bool		wanted;

	if (value == NULL)
		value = pgml_option_server_value(server, "use_scram_passthrough");
	return value != NULL && parse_bool(value, &wanted) && wanted && pgml_has_scram_keys();
}

/* Find a parameter's value; NULL if it isn't there or empty. */
static const char *
param_value(const PgmlConnParams *params, const char *keyword)
{
	for (int i = params->n - 1; i >= 0; i--)
		if (strcmp(params->keywords[i], keyword) == 0)
			return params->values[i][0] != '\0' ? params->values[i] : NULL;
	return NULL;
}

/* Refuse parameters outside of our list, and outside of the server's own where it has one. */
static void
check_keywords(const PgmlConnParams *params)
{
	for (int i = 0; i < params->n; i++)
	{
		bool		allowed = pgml_option_libpq_allowed(params->keywords[i]);

		if (libpqsrv_is_valid_proxy_option != NULL)
			allowed = allowed && libpqsrv_is_valid_proxy_option(params->keywords[i]);
		if (!allowed)
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("permission denied to set connection option \"%s\"",
							params->keywords[i])));
	}
}

/* Refuse key files that only a superuser may point at, where nobody has checked before. */
static void
check_key_files(ForeignServer *server, const PgmlConnParams *params)
{
	if (server == NULL || options_were_guarded(server))
		return;

	for (size_t i = 0; i < lengthof(superuser_params); i++)
		if (param_value(params, superuser_params[i]) != NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("only a superuser may connect with \"%s\"", superuser_params[i])));
}

void
pgml_security_check_before(PgmlConn *conn, ForeignServer *server, UserMapping *mapping,
						   const PgmlConnParams *params)
{
	check_keywords(params);

	if (superuser_arg(conn->userid))
		return;

	check_key_files(server, params);

	if (conn->trust_password || param_value(params, "password") != NULL)
		return;
	if (pgml_has_delegated_gss())
		return;
	if (mapping != NULL)
	{
		if (password_waived(server, mapping))
			return;
		if (pgml_security_scram_passthrough(server, mapping))
			return;
	}

	ereport(ERROR,
			(errcode(ERRCODE_S_R_E_PROHIBITED_SQL_STATEMENT_ATTEMPTED),
			 errmsg("password or GSSAPI delegated credentials required"),
			 mapping != NULL ?
			 errdetail("Non-superusers must provide a password in the user mapping.") :
			 errdetail("Non-superusers must provide a password in the connection string."),
			 mapping != NULL ?
			 errhint("Use ALTER USER MAPPING ... OPTIONS (ADD password '...').") : 0));
}

void
pgml_security_check_after(PgmlConn *conn, ForeignServer *server, UserMapping *mapping)
{
	if (superuser_arg(conn->userid) || conn->trust_password)
		return;
	if (mapping != NULL && password_waived(server, mapping))
		return;
	if (PQconnectionUsedPassword(conn->pg))
		return;
	if (mapping != NULL && pgml_security_scram_passthrough(server, mapping))
		return;
#ifdef PGML_GSS_DELEGATION
	if (PQconnectionUsedGSSAPI(conn->pg) && pgml_has_delegated_gss())
		return;
#endif

	pgml_connection_drop(conn);
	ereport(ERROR,
			(errcode(ERRCODE_S_R_E_PROHIBITED_SQL_STATEMENT_ATTEMPTED),
			 errmsg("password or GSSAPI delegated credentials required"),
			 errdetail("The remote let this connection in without asking for the password."),
			 errhint("The remote server's pg_hba.conf must demand a password for this role, or a superuser sets password_required 'false' in the user mapping.")));
}
