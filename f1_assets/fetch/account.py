"""The Formula 1 account that live timing asks for: checked once before loads, not found out session by session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import jwt
import requests
from fastf1.exceptions import F1AuthError
from pydantic import SecretStr

from f1_assets.errors import AuthenticationRequired, TransientError
from f1_assets.fetch.fastf1_private import login, token_manager
from f1_assets.fetch.sources import source_kind
from f1_assets.settings import Settings

if TYPE_CHECKING:
    from f1_assets.fetch.exchanges import Exchange
    from f1_assets.keys import SessionKey

WHAT_TO_DO = (
    "Set F1_USERNAME and F1_PASSWORD to a Formula 1 account with F1 TV (or run `python -m fastf1 auth`), "
    "then run it again: what waited is taken up by itself."
)

ADDRESS_IS_REFUSED = (
    "The token is valid, so F1 refuses this machine's address, as it refuses those of many data centres. "
    "Run it on a machine in another network: what waited is taken up by itself."
)

IS_NOT_ACCEPTED = (
    "The token is valid, and F1 does not take it: the account needs F1 TV, or F1 refuses this machine's address. Check "
    "the account on f1tv.formula1.com, then run it again: what waited is taken up by itself."
)

_refusals: dict[tuple[SecretStr | None, SecretStr | None], str] = {}
"""What was said of credentials that were refused: they are not tried again for each session."""


@dataclass(frozen=True)
class AccountStatus:
    """What is known of the account without a request: credentials, and until when a stored token is accepted."""

    has_credentials: bool
    issued_at: datetime | None = None
    valid_until: datetime | None = None


def account_status(settings: Settings) -> AccountStatus:
    """Look at the credentials and at the token that FastF1 keeps; nothing is sent, and neither is given away."""
    given = settings.username is not None and settings.password is not None
    token = token_manager.get_stored()
    if token is None:
        return AccountStatus(given)
    try:
        issued = token.claims.get("iat")
    except jwt.PyJWTError:
        issued = None
    at = datetime.fromtimestamp(issued, UTC) if isinstance(issued, int | float) else None
    return AccountStatus(given, at, datetime.fromtimestamp(token.expires_at, UTC))


def require_account(settings: Settings) -> None:
    """Sign in to the Formula 1 account, or find that a valid token is there.

    A refusal is remembered for these credentials, until a token is there (`python -m fastf1 auth`).

    Parameters
    ----------
    settings
        With the credentials; FastF1 itself knows only those of the environment, not those of a ``.env`` file.

    Raises
    ------
    AuthenticationRequired
        When there are no credentials, or the account was refused.
    TransientError
        When the sign-in could not be reached, or failed on its own.
    """
    credentials = (settings.username, settings.password)
    token = token_manager.get_stored()
    if credentials not in _refusals or (token is not None and token.is_valid()):
        try:
            token_manager.get(auth_func=sign_in_with(settings))
        except F1AuthError as error:
            words = _without_credentials(str(error), settings).rstrip(".")
            if _passes(error.__cause__):
                raise TransientError(f"The sign-in to the Formula 1 account did not answer: {words}.") from None
            _refusals[credentials] = words
        else:
            _refusals.pop(credentials, None)
    if credentials in _refusals:
        words = f"The Formula 1 account was refused: {_refusals[credentials]}."
        raise AuthenticationRequired(words, advice=WHAT_TO_DO)


def refusal(settings: Settings, key: SessionKey, proof: Exchange) -> AuthenticationRequired:
    """Return the error of a load that F1 refused; what to do about it depends on whether a valid token was sent.

    Parameters
    ----------
    settings
        With the source that was asked.
    key
        The session.
    proof
        The answer that proves it.
    """
    token = token_manager.get_stored() if source_kind(settings.source) == "live" else None
    if token is None or not token.is_valid():
        advice = WHAT_TO_DO
    else:
        advice = ADDRESS_IS_REFUSED if proof.status == 403 else IS_NOT_ACCEPTED
    must = ", which must be there" if proof.status == 403 else ""
    words = f"F1 refused live timing ({proof.detail} for {proof.feed}{must})."
    return AuthenticationRequired(words, advice=advice, key=key, feed=proof.feed)


def _passes(cause: BaseException | None) -> bool:
    """Check whether a failed sign-in is transient: FastF1 raises one error for that and for a refusal."""
    if isinstance(cause, requests.HTTPError) and cause.response is not None:
        return cause.response.status_code >= 500 or cause.response.status_code == 429
    return isinstance(cause, requests.RequestException)


def _without_credentials(words: str, settings: Settings) -> str:
    for secret in (settings.username, settings.password):
        if secret is not None and secret.get_secret_value():
            words = words.replace(secret.get_secret_value(), "***")
    return words


def sign_in_with(settings: Settings) -> Callable[[], Any] | None:
    """Return what signs in with the credentials of the settings; None where they have none."""
    if settings.username is None or settings.password is None:
        return None  # FastF1's own way: its stored token, the environment, or a prompt on a terminal
    username, password = settings.username.get_secret_value(), settings.password.get_secret_value()
    return lambda: login(username, password)
