//! What people see and do in a browser: each test runs one file of `tests-e2e/browser/tests`.

use std::sync::LazyLock;

use tests_e2e::actors::browser::Browser;

/// Installed once, by whoever asks first.
static BROWSER: LazyLock<Browser> = LazyLock::new(Browser::install);

#[test]
fn the_guards_of_every_page_notice_what_they_are_there_for() {
    BROWSER.run("guards.test.mjs");
}
