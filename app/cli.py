"""The command ``spokehub``."""

import gc
import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from app.history import history
from services.core.errors import SpokehubError
from services.core.logging import configure_logging
from services.core.settings import LOOPBACK, AccountSettings, Settings, read_settings
from services.example.types import SPOKES
from spoke_kit.errors import SpokeError

if TYPE_CHECKING:
    from services.snowflake.embedded import EmbeddedAccount

cli = typer.Typer(no_args_is_help=True, add_completion=False, help="Hub-and-spoke MLOps on Snowflake.")
cli.add_typer(history, name="history")

Port = Annotated[int | None, typer.Option(min=0, max=65535, help="0 takes any free port.")]
Host = Annotated[str | None, typer.Option(help="The address to listen on.")]
Data = Annotated[Path | None, typer.Option(help="The data directory.", file_okay=False)]


@cli.command()
def serve(port: Port = None, host: Host = None, data: Data = None) -> None:
    """Serve the control plane, with the embedded account unless a connection is configured."""
    settings = _settings(host, port, data)
    if not settings.web.loopback and not settings.account.ingress and not settings.web.admin_token:
        _fail(
            f"Listening on {settings.web.host} lets others in, and there is no token to tell them apart",
            "Set SPOKEHUB_ADMIN_TOKEN, or listen on 127.0.0.1.",
        )
    from services.snowflake.embedded import AlreadyOpen, EmbeddedAccount, claim_folder

    # Who has the data comes first: two of the same command have the same port, too, but that is not why.
    folder = settings.storage.data
    embedded = EmbeddedAccount.of(settings)
    claim = None
    try:
        claim = claim_folder(folder / "spokehub.lock", f"Spokehub's data in {folder}", "spokehub serve")
    except AlreadyOpen as held:
        if held.command != "spokehub serve":
            raise
        typer.echo(f"{held.message}. This process answers pages beside it, and takes over when it ends.")
        if embedded is not None:
            embedded.follow()
    else:
        if embedded is not None:
            embedded.claim()
    listener = _listen(settings.web.host, settings.web.port)
    bound = listener.getsockname()[1]
    configure_logging(settings.log.style, settings.log.level)
    typer.echo(f"Spokehub is starting on {_url(settings.web.host, bound)}")
    code = _run(settings, listener, embedded)
    if claim is not None:
        claim.release()
    sys.stdout.flush()
    sys.stderr.flush()
    # A step that did not stop in time is taken up by the next start; waiting for its thread would keep this
    # process from ending.
    os._exit(code)


@cli.command()
def account(port: Port = None, host: Host = None, data: Data = None) -> None:
    """Serve the embedded account alone, for notebooks, dbt, the snow command and others."""
    from services.snowflake.embedded import EmbeddedAccount

    settings = _settings(host, None, data)
    storage = settings.storage
    embedded = EmbeddedAccount(
        storage.account_data,
        storage.logs,
        host=settings.web.host,
        port=port or 0,
        command="spokehub account",
        default_warehouse="COMPUTE_WH",
        usage_delay=settings.account.usage_delay,
    )
    embedded.claim()
    if port:
        _listen(settings.web.host, port).close()
    configure_logging(settings.log.style, "WARNING")
    embedded.start()
    stopped = _until_signal()
    try:
        address = embedded.address()
        typer.echo(_introduction(address.parameters()))
        stopped()
    except SpokehubError as error:
        embedded.stop()
        _fail(error.message, error.hint)
    embedded.stop()


@cli.command()
def verify(
    connection: Annotated[
        str | None,
        typer.Option(help="A name in connections.toml; without it the account that is configured."),
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave what was made, to look at it.")] = False,
    guesses_only: Annotated[
        bool, typer.Option("--guesses-only", help="Leave the example's way out.")
    ] = False,
    report: Annotated[Path | None, typer.Option("--json", help="Write the report to this file, too.")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Remove what earlier verifications left.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before work that costs.")] = False,
) -> None:
    """Try the example's way, small, and every guess about Snowflake on an account, and remove what was made."""
    from app import verification
    from services.verify import report as reports

    settings = _settings(None, None, None)
    if connection is not None:
        settings = replace(settings, account=AccountSettings(kind="named", connection=connection))
    configure_logging(settings.log.style, "WARNING")
    if remove:
        for line in verification.remove_leftovers(settings):
            typer.echo(line)
        return
    if settings.account.kind != "embedded":
        verification.log_in(settings)
        typer.echo(verification.ANNOUNCEMENT)
        if not yes:
            typer.confirm("Go on?", abort=True)
    with verification.verification(settings, lambda line: typer.echo(line, err=True)) as work:
        found = work.run(way=not guesses_only, keep=keep)
    typer.echo(reports.as_text(found))
    if report is not None:
        report.write_text(reports.as_json(found) + "\n")
    raise SystemExit(0 if found.green else 1)


@cli.command()
def simulate(
    days: Annotated[int, typer.Option(min=1, max=60, help="How many days of the synthetic data pass.")] = 1,
    trouble: Annotated[
        str | None,
        typer.Option(help="What goes wrong on every third: failing-task, broken-feature, late-data."),
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(envvar="SPOKEHUB_URL", help="Where Spokehub listens; by default on this machine."),
    ] = None,
) -> None:
    """Let days of the synthetic data pass in a Spokehub that runs, and follow them."""
    from app import following

    settings = _settings(None, None, None)
    service = following.Service(url or _url(settings.web.host, settings.web.port), settings.web.admin_token)
    body = {"days": days, "trouble": trouble}
    raise SystemExit(0 if service.follow("/api/v1/simulation/run", body, typer.echo) else 1)


@cli.command()
def packages(
    spoke: Annotated[str, typer.Argument(help="A spoke that lies in spokes/.")] = SPOKES[0],
    environment: Annotated[str, typer.Option(help="Whose overlay is laid over spoke.yaml.")] = "DEV",
) -> None:
    """Check that the packages which a spoke names resolve together, in the index that Snowflake's repository serves."""
    from services.snowflake.deployer import spoke_directory
    from services.spokes.packages import resolve
    from spoke_kit import manifest

    compute = manifest.load(spoke_directory(spoke), environment).compute
    for package in resolve(compute.packages, compute.runtime):
        typer.echo(
            f"{package.name} {package.version}" + (f"  ({package.requested})" if package.requested else "")
        )


@cli.command()
def bootstrap(
    show: Annotated[bool, typer.Option("--print", help="Print the SQL; nothing is executed.")] = False,
    user: Annotated[str | None, typer.Option(help="The user whom Spokehub connects as.")] = None,
    warehouse: Annotated[
        str | None, typer.Option(help="A warehouse that is there, instead of one that the hub makes.")
    ] = None,
) -> None:
    """Print what an administrator grants once; afterwards all runs as the hub's role."""
    from services.core.hub import load_declaration
    from services.snowflake import rights

    if not show:
        _fail("This prints SQL for an administrator and executes nothing", "Say so with --print.")
    hub = load_declaration()
    name = _stored(user) if user else None
    typer.echo(
        rights.as_sql(rights.bootstrap(hub, name, _stored(warehouse) if warehouse else None)), nl=False
    )
    if warehouse and _stored(warehouse) != hub.warehouse.name:
        typer.echo(f"-- And name {_stored(warehouse)} as the warehouse in hub.yaml.")


def _stored(name: str) -> str:
    """A name as Snowflake stores it: in upper case unless it is quoted."""
    from services.snowflake.identifiers import QualifiedName

    return QualifiedName.parse(name).name


def main() -> None:
    """The entry point."""
    try:
        cli()
    except (SpokehubError, SpokeError) as error:
        _fail(error.message, error.hint)


def _settings(host: str | None, port: int | None, data: Path | None) -> Settings:
    environment = dict(os.environ)
    if data is not None:
        environment["SPOKEHUB_DATA"] = str(data)
    settings = read_settings(environment)
    web = replace(
        settings.web,
        host=settings.web.host if host is None else host,
        port=settings.web.port if port is None else port,
    )
    return replace(settings, web=web)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(512)
    except OSError as error:
        listener.close()
        _fail(f"Cannot listen on {host}:{port}: {error.strerror}", "Choose another one with --port.")
    return listener


def _run(settings: Settings, listener: socket.socket, embedded: "EmbeddedAccount | None") -> int:
    from services.core.lean import CLOUD, UNUSED, leave_out, one_allocator, one_arena

    # Before the first thread.
    one_arena()
    if embedded is not None and not embedded.following:
        # First of all: it takes longest to start, and can do so while this process still loads its modules.
        embedded.start()
    # What modules leave behind stays, so looking for garbage among it is time lost: a tenth of the start.
    gc.disable()
    import uvicorn

    one_allocator()
    leave_out(*UNUSED, *(() if settings.account.kind == "named" else CLOUD))

    from app import serving
    from app.main import create_app

    config = uvicorn.Config(
        create_app(settings, embedded=embedded),
        loop="uvloop",
        http="httptools",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=3,
        # app.proxies does this, as configured.
        proxy_headers=False,
    )
    server = serving.Server(config)
    gc.freeze()
    gc.enable()
    # The server raises the signal again when it has stopped; then there is nothing left to interrupt.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: None)
    try:
        server.run(sockets=[listener])
    finally:
        if embedded is not None:
            embedded.stop()
    return 0 if server.started else 1


def _until_signal() -> Callable[[], bool]:
    import threading

    ended = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        ended.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    return ended.wait


def _introduction(parameters: dict[str, object]) -> str:
    order = ("account", "user", "password", "host", "port", "protocol")
    toml = "\n".join(f"{key} = {json.dumps(parameters[key])}" for key in order)
    python = ", ".join(f"{key}={parameters[key]!r}" for key in order)
    return (
        f"The embedded account listens on {_url(str(parameters['host']), parameters['port'])}\n\n"
        f"In connections.toml:\n\n[embedded]\n{toml}\n\n"
        f"In Python:\n\nimport snowflake.connector\n"
        f"connection = snowflake.connector.connect({python})\n\n"
        f"Ctrl-C ends it."
    )


def _url(host: str, port: object) -> str:
    shown = "127.0.0.1" if host in LOOPBACK and ":" not in host else host
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"


def _fail(message: str, hint: str | None = None) -> NoReturn:
    typer.echo(f"{message}.", err=True)
    if hint:
        typer.echo(hint, err=True)
    raise SystemExit(1)


if __name__ == "__main__":
    main()
