//! Names each piece of evidence: every known word and every rule has a name, so that a test can disable some and
//! measure the rest.

/// Returns whether a rule holds and is not disabled.
pub(super) fn rule(name: &str, holds: bool) -> bool {
    holds && counts(name, "")
}

/// Returns whether a word is on a list and not disabled.
pub(super) fn among(list: &str, words: &[&str], word: &str) -> bool {
    words.contains(&word) && counts(list, word)
}

/// Returns whether a text contains one of the signs that are not disabled.
pub(super) fn tells(list: &str, text: &str, signs: &[&str]) -> bool {
    signs
        .iter()
        .any(|sign| text.contains(sign) && counts(list, sign))
}

#[cfg(not(test))]
fn counts(_list: &str, _word: &str) -> bool {
    true
}

#[cfg(test)]
use switches::counts;

#[cfg(test)]
pub mod switches {
    use std::cell::RefCell;
    use std::collections::BTreeSet;

    /// Names of rules, or words as `list:word`.
    pub type Rules = BTreeSet<String>;

    thread_local! {
        static OFF: RefCell<Rules> = const { RefCell::new(BTreeSet::new()) };
        static USED: RefCell<Rules> = const { RefCell::new(BTreeSet::new()) };
    }

    pub fn counts(list: &str, word: &str) -> bool {
        let name = if word.is_empty() {
            list.to_owned()
        } else {
            format!("{list}:{word}")
        };
        let on = OFF.with_borrow(|off| !off.contains(&name));
        if on {
            USED.with_borrow_mut(|used| used.insert(name));
        }
        on
    }

    /// Returns the result of `run` without these rules, and the rules that it used.
    pub fn without<T>(rules: &Rules, run: impl FnOnce() -> T) -> (T, Rules) {
        OFF.set(rules.clone());
        USED.take();
        let result = run();
        OFF.take();
        (result, USED.take())
    }
}
