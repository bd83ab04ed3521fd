//! Pages of `docs/reference`, which tests write from the code.

use std::path::Path;

/// Compares a page with what the code says; with `UPDATE` in the environment writes it.
pub(crate) fn check_page(page: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    if std::fs::read_to_string(&path).is_ok_and(|written| written == text) {
        return;
    }
    assert!(
        std::env::var_os("UPDATE").is_some(),
        "{page} is stale: `UPDATE=1 cargo test` mends it"
    );
    std::fs::write(&path, text).expect("a writable page");
}
