//! The connectors of `generated-examples`, run like by a user.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::mock::{BILLING_KEY, FORGE_ORG, FORGE_TOKEN, MockApi, TRACKER_KEY};
use crate::workspace::{binary, optimised, stderr, stdout};

/// A program, with the settings that the mock API accepts.
pub struct Connector {
    pub name: &'static str,
    program: PathBuf,
    settings: &'static [(&'static str, &'static str)],
}

impl Connector {
    pub fn billing() -> Connector {
        Connector::of("billing", &[("BILLING_API_KEY", BILLING_KEY)])
    }

    pub fn forge() -> Connector {
        Connector::of(
            "forge",
            &[("FORGE_TOKEN", FORGE_TOKEN), ("FORGE_ORG", FORGE_ORG)],
        )
    }

    pub fn tracker() -> Connector {
        Connector::of("tracker", &[("TRACKER_API_KEY", TRACKER_KEY)])
    }

    /// Returns the hand-written connector that reads a [`crate::tree::Tree`].
    pub fn tree() -> Connector {
        Connector::by_hand("tree")
    }

    /// Returns the hand-written connector that reads a [`crate::soak::Soak`].
    pub fn soak() -> Connector {
        Connector::by_hand("soak")
    }

    fn by_hand(name: &'static str) -> Connector {
        let program = match cfg!(debug_assertions) {
            true => binary(name),
            false => optimised("etlgen-tests", name),
        };
        Connector {
            name,
            program,
            settings: &[],
        }
    }

    fn of(name: &'static str, settings: &'static [(&'static str, &'static str)]) -> Connector {
        let package = format!("{name}-connector");
        Connector {
            name,
            program: binary(&package),
            settings,
        }
    }

    /// Returns a command in its own folder, so that it finds no stray settings file.
    pub fn command(&self, folder: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .current_dir(folder)
            .envs(self.settings.iter().copied());
        command
    }

    pub fn run(&self, folder: &Path, arguments: &[&str]) -> Output {
        let mut command = self.command(folder, arguments);
        command.output().expect("the connector starts")
    }

    /// Runs a command that must succeed; returns its standard output.
    pub fn succeed(&self, folder: &Path, arguments: &[&str]) -> String {
        let output = self.run(folder, arguments);
        let code = output.status.code();
        assert_eq!(code, Some(0), "{arguments:?}: {}", stderr(&output));
        stdout(&output)
    }

    /// Loads from the mock API into a destination.
    pub fn sync(&self, folder: &Path, mock: &MockApi, into: &str, more: &[&str]) -> String {
        let url = mock.url();
        let sync = ["sync", "--destination", into, "--base-url", &url];
        self.succeed(folder, &[&sync, more].concat())
    }
}
