//! Records panics within simulated runs, which tokio's tasks would hide.

use std::cell::RefCell;
use std::sync::Once;

thread_local! {
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
    static LISTENS: RefCell<bool> = const { RefCell::new(false) };
}

/// Keeps panics within simulated runs for the judge. Other threads panic as usual.
pub fn listen() {
    static ONCE: Once = Once::new();
    LISTENS.with_borrow_mut(|listens| *listens = true);
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            // Only panics within tokio's runtime are kept: any other panic is a failed test.
            match tokio::runtime::Handle::try_current().is_ok() && LISTENS.with_borrow(|l| *l) {
                true => PANIC.with_borrow_mut(|kept| *kept = Some(panic.to_string())),
                false => before(panic),
            }
        }));
    });
}

/// Takes the last panic in a run of this thread.
pub fn take() -> Option<String> {
    PANIC.with_borrow_mut(Option::take)
}
