//! Rows and state as Arrow IPC streams, one after the other.

use std::collections::HashMap;
use std::io::Write;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{ArrowError, Schema};
use serde_json::{Value, json};

use super::control;
use crate::error::{Error, ErrorKind, Result};
use crate::load::Operation;

type Out = Box<dyn Write + Send>;

/// The key of a stream's metadata that says what it is: what a line of JSON would say.
const ABOUT: &str = "etlgen";

/// Writes streams of batches with the same columns. Each begins with its schema, whose metadata say
/// what it is, and ends with the mark of its end.
pub(super) struct Streams {
    /// `None` after an error.
    out: Option<To>,
}

enum To {
    Idle(Out),
    /// A stream has begun with this schema.
    Open(Box<StreamWriter<Out>>, Arc<Schema>),
}

impl Streams {
    pub fn new(out: Out) -> Self {
        Streams {
            out: Some(To::Idle(out)),
        }
    }

    pub fn take(&mut self, resource: &str, operation: &Operation) -> Result<()> {
        if let Some(about) = control::control(resource, operation) {
            self.say(&about)?;
        }
        let Some(verb) = control::verb(operation) else {
            return Ok(());
        };
        let rows = control::records(operation.tables())?.batch()?;
        if rows.num_rows() == 0 {
            return Ok(());
        }
        let about = json!({"type": "record", "resource": resource, "operation": verb});
        self.write(&about, &rows).map_err(unwritten)
    }

    pub fn commit(&mut self, status: &str, states: &str) -> Result<()> {
        let state: Value = serde_json::from_str(states).unwrap_or_default();
        self.say(&json!({"type": "state", "status": status, "state": state}))?;
        if let Some(To::Idle(out)) = &mut self.out {
            out.flush()?;
        }
        Ok(())
    }

    /// Writes a stream without columns.
    fn say(&mut self, about: &Value) -> Result<()> {
        let said = self.open(schema(Schema::empty(), about));
        said.and_then(|()| self.end()).map_err(unwritten)
    }

    fn write(&mut self, about: &Value, rows: &RecordBatch) -> Result<(), ArrowError> {
        let schema = schema(rows.schema().as_ref().clone(), about);
        let goes_on = matches!(&self.out, Some(To::Open(_, open)) if *open == schema);
        if !goes_on {
            self.open(schema)?;
        }
        match &mut self.out {
            Some(To::Open(writer, schema)) => {
                writer.write(&rows.clone().with_schema(schema.clone())?)
            }
            _ => Err(broken()),
        }
    }

    /// Ends the stream, if there is one, and begins another.
    fn open(&mut self, schema: Arc<Schema>) -> Result<(), ArrowError> {
        self.end()?;
        let Some(To::Idle(out)) = self.out.take() else {
            return Err(broken());
        };
        let writer = StreamWriter::try_new(out, &schema)?;
        self.out = Some(To::Open(Box::new(writer), schema));
        Ok(())
    }

    fn end(&mut self) -> Result<(), ArrowError> {
        self.out = match self.out.take() {
            Some(To::Open(writer, _)) => Some(To::Idle(writer.into_inner()?)),
            other => other,
        };
        Ok(())
    }
}

fn schema(schema: Schema, about: &Value) -> Arc<Schema> {
    let metadata = HashMap::from([(ABOUT.to_owned(), about.to_string())]);
    Arc::new(schema.with_metadata(metadata))
}

fn broken() -> ArrowError {
    ArrowError::IpcError("the stream has failed before".to_owned())
}

fn unwritten(error: ArrowError) -> Error {
    Error::new(ErrorKind::Destination, "the stream cannot be written").caused_by(error)
}
