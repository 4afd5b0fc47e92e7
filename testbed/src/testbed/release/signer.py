"""Signatures and attestations, by cosign."""

import os
from dataclasses import dataclass
from pathlib import Path

from mlflowops import shell

from testbed import tools

# Who says which workflow of GitHub it is that signs.
ISSUER = "https://token.actions.githubusercontent.com"

# The key's name among the files of a release.
PUBLIC_KEY = "cosign.pub"


@dataclass(frozen=True)
class Signer:
    """Signs with a key, or without one as a workflow of GitHub that has the right `id-token: write`."""

    key: Path | None = None
    """A private key of `cosign generate-key-pair`, beside its `.pub`; COSIGN_PASSWORD has its password."""

    @property
    def public_key(self) -> Path | None:
        """The key that verifies, if there is one."""
        return self.key.with_suffix(".pub") if self.key else None

    def trust(self, public_key: Path | None) -> list[str]:
        """Return the words with which cosign verifies what was signed.

        Args:
            public_key: where the one that verifies has the public key, if this signs with a key.
        """
        if public_key:
            return ["--key", str(public_key), "--insecure-ignore-tlog"]
        workflow = f"https://github.com/{os.environ.get('GITHUB_REPOSITORY', '<owner>/<repository>')}"
        identity = f"^{workflow}/.github/workflows/release.yaml@refs/tags/v"
        return ["--certificate-identity-regexp", identity, "--certificate-oidc-issuer", ISSUER]

    @property
    def _how(self) -> list[str]:
        """With a key no service is asked, so that it works without Internet, and no log is public."""
        return (
            ["--key", str(self.key), "--tlog-upload=false", "--use-signing-config=false"] if self.key else []
        )

    def sign(self, reference: str) -> None:
        """Sign what a registry has under a digest."""
        self._cosign("sign", *self._how, reference)

    def attest(self, reference: str, predicate: Path, kind: str) -> None:
        """Attach a signed statement to what a registry has under a digest."""
        self._cosign("attest", "--predicate", str(predicate), "--type", kind, *self._how, reference)

    def sign_file(self, file: Path, bundle: Path) -> None:
        """Sign a file; `bundle` gets the signature."""
        self._cosign("sign-blob", "--bundle", str(bundle), *self._how, str(file))

    def attest_file(self, file: Path, predicate: Path, kind: str, bundle: Path) -> None:
        """Sign a statement about a file; `bundle` gets it."""
        words = ["--predicate", str(predicate), "--type", kind, "--bundle", str(bundle)]
        self._cosign("attest-blob", *words, *self._how, str(file))

    def has_signed(self, reference: str) -> bool:
        """Whether there is a signature of this signer on what a registry has under a digest."""
        return self._verifies("verify", reference)

    def has_attested(self, reference: str, kind: str) -> bool:
        """Whether there is a statement of this kind by this signer."""
        return self._verifies("verify-attestation", "--type", kind, reference)

    def has_signed_file(self, file: Path, bundle: Path) -> bool:
        """Whether `bundle` is a signature of this signer on a file."""
        return bundle.exists() and self._verifies("verify-blob", "--bundle", str(bundle), str(file))

    def _verifies(self, *words: str) -> bool:
        return (
            shell.run([tools.ensure("cosign"), *words, *self.trust(self.public_key)], check=False).returncode
            == 0
        )

    def _cosign(self, *words: str) -> None:
        shell.run([tools.ensure("cosign"), *words, "--yes"])
