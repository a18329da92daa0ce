"""The command line: serve, token, sql, status, verify, translate.

Exit status: 0 done, 1 the operation found a problem (verify, sql), 2 it could not be carried out (the reason is one line
on standard error).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from opendsql.errors import OperatorError


def parser() -> argparse.ArgumentParser:
    """The arguments of every subcommand."""
    root = argparse.ArgumentParser(prog="opendsql", description="Aurora DSQL's architecture and behaviour as open software")
    commands = root.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="run a server on a data directory")
    serve.add_argument("--data", type=Path, default=Path("dsql-data"), help="data directory, made when absent (default ./dsql-data)")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=5432)
    serve.add_argument("--topology", default="auto", choices=("auto", "fused", "split", "roles"))
    serve.add_argument("--query-workers", type=int, default=0, help="query workers of the split form (default: cores - 1)")
    serve.add_argument("--allow-remote", action="store_true", help="without --strict: bind an address that is not loopback all the same")
    serve.add_argument("--no-hints", action="store_true", help="no HINT beside refusals where DSQL sends none (default with --strict)")
    serve.add_argument("--strict", action="store_true", help="DSQL to the letter: TLS, host name and token required, its connection limits")
    serve.add_argument("--tls-cert", type=Path, metavar="FILE", help="PEM certificate chain (default with --strict: made in DATA/tls)")
    serve.add_argument("--tls-key", type=Path, metavar="FILE", help="its private key, PEM")
    serve.add_argument("--connections-max", type=int, metavar="N", help="short for --limit connections_max=N")
    serve.add_argument("--connection-rate", type=int, metavar="N", help="new ones per second, 0 = any (default: 100 with --strict)")
    serve.add_argument("--connection-burst", type=int, metavar="N", help="short for --limit connection_burst=N")
    serve.add_argument("--connection-lifetime", type=float, metavar="SECONDS", help="0 = for ever (default: 3600 with --strict)")
    serve.add_argument("--limits", type=Path, metavar="FILE", help="other limits than DSQL's: a TOML file of name = value")
    serve.add_argument("--limit", action="append", default=[], metavar="NAME=VALUE", help="one other limit (may be repeated); 0 = none")
    serve.add_argument("--region", help="of the cluster's host name and ARN (default: as before, us-east-1 at first)")
    serve.add_argument("--account", help="of the cluster's ARN, twelve digits (default: as before, 123456789012 at first)")
    serve.add_argument("--host-name", action="append", default=[], metavar="NAME", help="a further name of the cluster (may be repeated)")
    serve.add_argument("--credentials", type=Path, metavar="FILE", help="access keys, AWS's format: logins need a token made with one")
    serve.add_argument("--policy", type=Path, metavar="FILE", help="IAM policy (JSON): who may connect; logins need a token")
    token = commands.add_parser("token", help="an authentication token, to be given as the password")
    token.add_argument("--data", type=Path, default=Path("dsql-data"), help="the cluster's data directory (default ./dsql-data)")
    token.add_argument("--host-name", metavar="NAME", help="sign for this host name instead of the directory's cluster")
    token.add_argument("--region", help="default: the cluster's, or the one in the host name")
    token.add_argument("--user", default="admin")
    token.add_argument("--expires", type=int, default=900, metavar="SECONDS", help="1 to 604800 (default 900)")
    token.add_argument("--credentials", type=Path, metavar="FILE", help="access keys (default: DATA/iam/credentials, then as AWS's tools)")
    token.add_argument("--profile", help="of the credentials file (default: default)")
    sql = commands.add_parser("sql", help="a prompt on a running server, or run statements and leave")
    sql.add_argument("--host", default="127.0.0.1")
    sql.add_argument("--port", type=int, default=5432)
    sql.add_argument("--data", type=Path, default=Path("dsql-data"), help="whose authority and access keys to use (default ./dsql-data)")
    sql.add_argument("-c", "--execute", action="append", metavar="SQL", help="run this and leave (may be repeated)")
    status = commands.add_parser("status", help="workers, positions, sizes and counters of a running server")
    status.add_argument("--data", type=Path, default=Path("dsql-data"))
    status.add_argument("--json", action="store_true")
    verify = commands.add_parser("verify", help="walk every page and journal frame of a directory that is not being served")
    verify.add_argument("directory", type=Path)
    translation = commands.add_parser("translate", help="another database's schema or statements in DSQL's words")
    translation.add_argument("--from", dest="source", default="postgres", metavar="DIALECT", help="postgres, mysql, sqlite, tsql, ...")
    translation.add_argument("file", nargs="?", type=Path, help="the script (default: standard input)")
    return root


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one subcommand; the return value is the exit status."""
    options = parser().parse_args(arguments)
    try:
        if options.command == "serve":
            from opendsql.cluster.supervisor import Supervisor
            from opendsql.config import ServerConfig
            from opendsql.limits import read_limits

            config = ServerConfig(
                data=options.data,
                host=options.host,
                port=options.port,
                topology=options.topology,
                query_workers=options.query_workers,
                allow_remote=options.allow_remote,
                region=options.region,
                account=options.account,
                host_names=tuple(options.host_name),
                credentials=options.credentials,
                policy=options.policy,
                strict=options.strict,
                hints=not options.no_hints,
                tls_cert=options.tls_cert,
                tls_key=options.tls_key,
                connections_max=options.connections_max,
                connection_rate=options.connection_rate,
                connection_burst=options.connection_burst,
                connection_lifetime_s=options.connection_lifetime,
                limits=read_limits(options.limits, options.limit),
            )
            return Supervisor(config).run()
        if options.command == "sql":
            from opendsql.prompt import prompt

            return prompt(options.host, options.port, options.data, options.execute)
        if options.command == "status":
            from opendsql.cluster.status import read_status, render_status

            found = read_status(options.data)
            print(json.dumps(found) if options.json else render_status(found))
            return 0
        if options.command == "token":
            from opendsql.gateway.iam.issue import issue

            print(
                issue(
                    options.data,
                    host_name=options.host_name,
                    region=options.region,
                    user=options.user,
                    expires_s=options.expires,
                    credentials=options.credentials,
                    profile=options.profile,
                )
            )
            return 0
        if options.command == "translate":
            from opendsql.translate import translate

            try:
                text = options.file.read_text(encoding="utf-8") if options.file else sys.stdin.read()
            except (OSError, UnicodeDecodeError) as error:
                raise OperatorError(f"cannot read {options.file or 'standard input'}: {error}") from None
            for one in translate(text, options.source):
                print("".join(f"-- {' '.join(note.split())}\n" for note in one.notes) + (f"{one.sql};" if one.sql else ""))
            return 0
        from opendsql.cluster.verify import verify_directory

        return verify_directory(options.directory)
    except OperatorError as error:
        print(f"opendsql: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
