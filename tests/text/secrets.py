"""Things that look like secrets and are none: drawn by lot, never issued by anyone.

They are put together here so that no file of ours holds one as it stands.
"""

from base64 import b64encode
from random import Random
from string import ascii_letters, ascii_lowercase, ascii_uppercase, digits

ALNUM = ascii_letters + digits
URLSAFE = ALNUM + "-_"


def drawn(length: int, letters: str = ALNUM, seed: int = 5) -> str:
    return "".join(Random(seed).choices(letters, k=length))


def pem(kind: str = "PRIVATE KEY", newline: str = "\n") -> str:
    body = b64encode(Random(3).randbytes(400)).decode()
    lines = [body[at : at + 64] for at in range(0, len(body), 64)]
    return newline.join([f"-----BEGIN {kind}-----", *lines, f"-----END {kind}-----"])


JWT = ".".join(["eyJ" + drawn(30), "eyJ" + drawn(60, URLSAFE), drawn(43, URLSAFE)])
GITHUB = "ghp_" + drawn(36)

SECRETS: dict[str, str] = {
    "sk-ant-api03-" + drawn(93, URLSAFE): "anthropic key",
    "sk-proj-" + drawn(120, URLSAFE): "openai key",
    "sk-" + drawn(48): "api key",
    "sk-" + drawn(32, "0123456789abcdef"): "api key",
    "sk-or-v1-" + drawn(64, "0123456789abcdef"): "api key",
    "xai-" + drawn(80): "xai key",
    "gsk_" + drawn(52): "groq key",
    "AIza" + drawn(35, URLSAFE): "google key",
    GITHUB: "github token",
    "gho_" + drawn(36, seed=6): "github token",
    "ghs_" + drawn(36, seed=7): "github token",
    "github_pat_" + drawn(22) + "_" + drawn(59): "github token",
    "AKIA" + drawn(16, ascii_uppercase + digits): "aws key id",
    "ASIA" + drawn(16, ascii_uppercase + digits): "aws key id",
    "xoxb-" + drawn(12, digits) + "-" + drawn(13, digits) + "-" + drawn(24): "slack token",
    "sk_live_" + drawn(24): "stripe key",
    "npm_" + drawn(36): "npm token",
    "pypi-AgEIcHlwaS5vcmc" + drawn(150, URLSAFE): "pypi token",
    "hf_" + drawn(34, ascii_letters): "hugging face token",
    JWT: "jwt",
    pem(): "private key",
    pem("RSA PRIVATE KEY"): "private key",
    pem("OPENSSH PRIVATE KEY", "\\n"): "private key",
    pem("PGP PRIVATE KEY BLOCK"): "private key",
}

IN_PLACE: dict[str, str] = {
    f"Authorization: Bearer <{drawn(24)}>": "bearer credentials",
    f'"Authorization": "Bearer <{drawn(32, ascii_lowercase + digits)}>"': "bearer credentials",
    f"curl -H 'authorization: Basic <{b64encode(b'me:secret').decode()}>' x": "basic credentials",
    f"Authorization: token <{drawn(40, '0123456789abcdef')}>": "token credentials",
    f"the header is Bearer <{drawn(40)}>": "bearer credentials",
    "postgres://me:<hunter2>@db.example.com/x": "password in a URL",
    "redis://:<p4ssw0rd>@10.0.0.1:6379": "password in a URL",
    f"AWS_SECRET_ACCESS_KEY=<{drawn(40, ALNUM + '/+')}>": "aws secret key",
}
"""The secret in its surroundings, between `<` and `>`, which are not part of it."""

ORDINARY = (
    "pip install sk-learn scikit-learn; the sk-learn-compatible-estimators-2024 package",
    "task-1234567890abcdef1234567890 is done, risk-assessment-0123456789abcdef01 is not",
    "class='sk-circle12 sk-child sk-fading-circle-dot-number-1234'",
    "sk-550e8400-e29b-41d4-a716-446655440000",
    "data:image/png;base64," + b64encode(Random(1).randbytes(3000)).decode(),
    "commit 3f786850e387550fdab836ed7e6dc881de23001b",
    "sha512-" + b64encode(Random(2).randbytes(64)).decode(),
    "npm_config_registry=https://registry.npmjs.org/ npm_package_name",
    "ghp_" + "x" * 36,
    "git clone git+ssh://git@github.com:owner/repo.git",
    "http://localhost:8080/a@b and https://example.com/?user=a:b@c mailto:a@b.c",
    "postgres://me:$PASSWORD@db and postgres://me:{password}@db and ftp://a:***@b",
    "Authorization: Bearer YOUR_API_KEY",
    "Authorization: Basic authentication is described in RFC 7617",
    "the bearer of bad news; bearer authentication-and-authorization-in-practice",
    "A file that begins with -----BEGIN PRIVATE KEY----- holds a key, as everybody knows who has"
    " seen one before and read what it says in the manual page",
    "-----BEGIN CERTIFICATE-----\n" + b64encode(Random(4).randbytes(300)).decode() + "\n-----END"
    " CERTIFICATE-----",
    "hf_hub_download and hf_transfer and hf_internal_testing_tiny_random_bert",
    "AKIAIOSFODNN7EXAMPLEANDMORE is no key id, and gsk_ alone is none",
    "eyJ is what base64 of a brace begins with; eyJhbGciOiJIUzI1NiJ9 is half a token",
)
