"""The page of API keys: one is made and shown once, and revoked."""

from crm_app.state.base import AppState
from crm_app.state.people.api_keys import ApiKeysState
from tests.state.tabs import tab_of


async def test_a_key_is_shown_once_and_revoked(admin):
    tab = await tab_of(admin, "/settings/api-keys")
    await tab.run(ApiKeysState.load)
    assert tab[ApiKeysState].keys == [] and tab[ApiKeysState].per_minute == "600"
    await tab.run(ApiKeysState.ask)
    await tab.run(ApiKeysState.make, {"key_name": "", "key_reach": "*", "key_days": "90", "key_per_minute": "600"})
    assert tab[ApiKeysState].errors == {"name": "Is required"} and tab[ApiKeysState].is_making
    form = {
        "key_name": "Web shop",
        "key_reach": "chosen",
        "key_days": "never",
        "key_per_minute": "60",
        "account.read": "on",
    }
    await tab.run(ApiKeysState.make, form)
    state = tab[ApiKeysState]
    token = state.token
    assert token.startswith("sck_") and state.is_making
    (key,) = state.keys
    assert (key["name"], key["may"], key["ends"], key["limit"]) == ("Web shop", "1 right", "never", "60 a minute")
    assert key["hint"].endswith(token[-4:]) and token not in str(state.keys)
    await tab.run(ApiKeysState.cancel)
    assert token not in tab.sent()
    await tab.run(ApiKeysState.revoke, key["id"])
    assert [k["state"] for k in tab[ApiKeysState].keys] == ["revoked"]


async def test_who_may_not_make_keys_is_told(alice):
    tab = await tab_of(alice, "/settings/api-keys")
    await tab.run(ApiKeysState.load)
    assert "does not let you" in tab[AppState].notices[-1]["text"]
    await tab.run(ApiKeysState.make, {"key_name": "x", "key_per_minute": "600"})
    assert tab[ApiKeysState].token == ""


async def test_what_is_no_number_is_told_at_its_field(admin):
    tab = await tab_of(admin, "/settings/api-keys")
    await tab.run(ApiKeysState.load)
    await tab.run(ApiKeysState.make, {"key_name": "x", "key_reach": "@read_only", "key_per_minute": "many"})
    assert "whole number" in tab[ApiKeysState].errors["per_minute"]
    await tab.run(ApiKeysState.make, {"key_name": "x", "key_reach": "chosen", "key_per_minute": "60"})
    assert "choose" in tab[ApiKeysState].errors["scopes"].lower()
