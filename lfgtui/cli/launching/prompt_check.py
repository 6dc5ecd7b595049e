"""The model of `lfg run -p`, which has no tickets file to name it."""

from lfgtui.errors import UsageError
from lfgtui.settings import environment, paths
from lfgtui.settings.config import PRESETS, Config


def check_prompt(config: Config, provider: str | None, model: str | None) -> None:
    """Raise `UsageError`, saying what to add, where a prompt has no provider or no model."""
    if provider is not None:
        if model or config.model or config.provider(provider).model:
            return
        missing = f'provider "{provider}" needs a model: add --model MODEL'
        setting = f'model = "MODEL" under [providers.{provider}]'
    else:
        if "/" in (model or "") or "/" in (config.model or ""):
            return
        setting = 'model = "NAME/MODEL"'
        missing = "a prompt needs a provider and a model: add --provider NAME --model MODEL"
        if alone := model or config.model:
            missing = f'model "{alone}" needs a provider: add --provider NAME'
    where = f"or set {setting} in {paths.config_file()}"
    known = "no provider is configured yet (`lfg doctor` lists the variables of keys)"
    if names := _configured(config):
        known = f"providers configured: {', '.join(names)}"
    raise UsageError(f"{missing}, {where}; {known}")


def advise(config: Config, provider: str | None) -> str:
    """Return, in one short line, what `check_prompt` misses, and the command that mends it."""
    names = _configured(config) if provider is None else [provider]
    if not names:
        return "no provider is set up yet; to see how: lfg doctor"
    return f"no model is chosen yet: lfg run --model {names[0]}/MODEL"


def _configured(config: Config) -> list[str]:
    """Return which providers the person has set up: in the config, or by the variable of a key."""
    return [
        name
        for name, provider in config.providers.items()
        if provider != PRESETS.get(name)
        or (environment.variable(provider.api_key_env or "") or "").strip()
    ]
