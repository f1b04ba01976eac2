//! What a report says about a panic, which is one of the owner's closures as a rule: its text and its
//! place.

use std::any::Any;
use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::Once;
use std::task::Poll;

use crate::error::{Error, ErrorKind, Result};

tokio::task_local! {
    /// Where the task that runs has panicked.
    static PLACE: RefCell<Option<String>>;
}

/// Makes panics of watched tasks keep their places. They are not printed: the run reports them.
fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let print = take_hook();
        set_hook(Box::new(move |info: &PanicHookInfo<'_>| {
            let place = info.location().map(ToString::to_string);
            if PLACE.try_with(|known| *known.borrow_mut() = place).is_err() {
                print(info);
            }
        }));
    });
}

/// Runs a task of a run; a panic becomes an error that says where it occurred.
pub(crate) async fn watched<T>(task: impl Future<Output = Result<T>>) -> Result<T> {
    install();
    let task = async {
        let mut task = Box::pin(task);
        poll_fn(
            |context| match catch_unwind(AssertUnwindSafe(|| task.as_mut().poll(context))) {
                Ok(poll) => poll,
                Err(panic) => Poll::Ready(Err(explain(&*panic))),
            },
        )
        .await
    };
    PLACE.scope(RefCell::new(None), task).await
}

fn explain(panic: &(dyn Any + Send)) -> Error {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or(panic.downcast_ref::<&str>().copied());
    let text = text.unwrap_or("a panic without a text");
    let place = PLACE.with(|place| place.borrow_mut().take());
    let place = place.map_or(String::new(), |place| format!(" at {place}"));
    Error::new(ErrorKind::System, format!("panicked{place}: {text}")).hint(
        "it is a bug in a closure of the resource as a rule; `.is_some_and(…)` and `.map(…)` take a value that may be missing without a panic",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_with_its_place() {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let broken = watched(async {
            let missing: Option<i64> = std::hint::black_box(None);
            Ok(missing.expect("there is an amount"))
        });
        let error = runtime.unwrap().block_on(broken).unwrap_err();
        let text = error.report();
        assert!(text.contains("there is an amount"), "{text}");
        let line = line!() - 5;
        assert!(text.contains(&format!("report/panic.rs:{line}:")), "{text}");
    }
}
