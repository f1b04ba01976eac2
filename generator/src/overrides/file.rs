//! The file that holds the overrides: the positions of its values, and the mistakes in them.

use std::ops::Deref;

use crate::diagnostics::{Diagnostic, Kind, Position};

/// An `etlgen.toml`. Options of the command line are a file without a name.
#[derive(Clone, Debug, Default)]
pub struct File {
    pub name: String,
    pub text: String,
}

/// The byte offset at which a value begins; `None`: the value is from an option of the command
/// line.
pub type Place = Option<usize>;

/// A value with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct At<T> {
    pub value: T,
    pub place: Place,
}

impl<T> Deref for At<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// The mistakes found so far.
#[derive(Debug, Default)]
pub struct Faults(Vec<Fault>);

#[derive(Debug)]
struct Fault {
    place: Place,
    message: String,
    hint: Option<String>,
    /// The hint is set, or the message needs none.
    is_settled: bool,
}

impl Faults {
    /// Adds a mistake.
    pub fn add(&mut self, place: Place, message: impl Into<String>) -> FaultHint<'_> {
        self.0.push(Fault {
            place,
            message: message.into(),
            hint: None,
            is_settled: false,
        });
        FaultHint(self.0.last_mut())
    }

    /// Returns the number of mistakes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Adds a hint to the mistakes added since `before` that have none.
    pub fn hint_since(&mut self, before: usize, hint: &str) {
        let since = self.0.iter_mut().skip(before);
        for fault in since.filter(|fault| !fault.is_settled) {
            fault.hint = Some(hint.to_owned());
        }
    }

    /// Returns all mistakes as one error, in the order of the file.
    pub fn into_result(mut self, file: &File) -> Result<(), Diagnostic> {
        self.0.sort_by_key(|fault| fault.place);
        let mut errors = self.0.into_iter().map(|fault| fault.diagnostic(file));
        match errors.next() {
            None => Ok(()),
            Some(first) => Err(first.with_related(errors.collect())),
        }
    }
}

/// The mistake that was added last.
pub struct FaultHint<'a>(Option<&'a mut Fault>);

impl FaultHint<'_> {
    /// Adds a hint; `None`: the message needs none.
    pub fn hint(self, hint: impl Into<Option<String>>) {
        if let Some(fault) = self.0 {
            fault.hint = hint.into();
            fault.is_settled = true;
        }
    }
}

impl Fault {
    fn diagnostic(self, file: &File) -> Diagnostic {
        let error = match self.place {
            Some(place) => Diagnostic::error(Kind::Overrides, self.message)
                .in_file(&file.name)
                .at(Position::of(&file.text, place)),
            None => Diagnostic::error(Kind::Usage, self.message),
        };
        match self.hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }
}
