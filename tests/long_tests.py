"""Long tests, which `make test` leaves out and `make nightly` runs.

Of what each of them shows, `make test` has another case: the other launcher, fewer rows, or fewer values.
"""

import re

# File, test, and a regular expression for the cases; the empty one is for all.
LONG = (
    ("runtime/attacks/test_slow.py", ".*", "upstream"),
    ("runtime/attacks/test_memory.py", ".*", "upstream"),
    ("runtime/attacks/test_proxies.py", ".*", "upstream"),
    ("runtime/attacks/test_assistant.py", ".*", "upstream"),
    ("runtime/attacks/test_sources.py", ".*", "upstream"),
    ("runtime/attacks/test_hosts.py", ".*", "upstream"),
    ("runtime/attacks/test_methods.py", ".*", "upstream"),
    ("runtime/attacks/test_sockets.py", ".*", "upstream"),
    ("runtime/attacks/test_one_value.py", ".*", "upstream"),
    ("runtime/attacks/test_permissions.py", ".*", "upstream"),
    ("runtime/attacks/test_traces_of_others.py", ".*", "upstream"),
    ("runtime/attacks/test_login.py", "test_guesses_end_and_the_account_does_not", "upstream-flask"),
    ("runtime/attacks/test_routes.py", "test_no_spelling_gets_in_below_a_prefix", ""),
    ("runtime/attacks/test_routes.py", "test_another_account_never_sees_the_content", "upstream"),
    ("runtime/attacks/test_routes.py", "test_no_variable_changes_whom_the_server_trusts", "upstream"),
    ("runtime/test_accounts.py", "test_a_changed_secret_is_the_password_of_the_next_start", "upstream"),
    ("runtime/test_audit.py", ".*", "upstream"),
    ("runtime/test_copy_sources.py", "test_no_address_of_the_source_reaches_the_release", "other-bucket|169"),
    ("runtime/test_copy_sources.py", "test_secrets_of_webhooks", "^(0vNF|nJ1a)"),
    ("runtime/test_fail_over.py", ".*", "upstream"),
    ("runtime/test_ipv6.py", "test_the_server_answers", "upstream"),
    ("runtime/test_passwords.py", ".*", "upstream"),
    ("runtime/test_presigned.py", ".*", "upstream"),
    ("runtime/test_read_replica.py", ".*", "upstream"),
    ("runtime/test_restore_rights.py", ".*", "trusted|extension of|public|trigger|quoted|by the database"),
    ("runtime/test_retention.py", "test_five_thousand_runs", ""),
    ("runtime/test_streaming.py", ".*", "upstream"),
    ("runtime/test_token_login.py", "test_a_server_outlives_its_tokens", "entra"),
    ("runtime/test_token_login.py", "test_jobs_log_in_with_newer_tokens", ""),
    ("runtime/test_unavailable_store.py", "test_a_store_that_is_silent", "PUT"),
    ("runtime/test_upgrade.py", "test_all_of_an_older_mariadb_is_there", ""),
    ("runtime/test_volume_backup.py", "test_all_comes_back_when_the_server_has_ended", "upstream"),
    ("runtime/test_workspaces.py", ".*", "upstream"),
    ("cli/test_import_again.py", "test_many_runs_survive_a_crash_and_an_interruption", ""),
    ("release/test_release.py", "test_another_clone_builds_the_same_files", ""),
    ("release/test_release.py", "test_other_content_under_a_published_version_is_refused", ""),
    ("render/test_kubernetes_versions.py", "test_kubeconform_agrees", "all-1.3[45]"),
)  # fmt: skip


def is_long(path: str, test: str, case: str) -> bool:
    """Whether `make nightly` runs a test and `make test` does not.

    Args:
        path: its file below tests/.
        test: name of the function.
        case: what is in the brackets of its id; empty without parameters.
    """
    return any(
        path == file and re.fullmatch(name, test) and re.search(cases, case) for file, name, cases in LONG
    )
