//! Rows of a table, as `copy` wrote them, into Arrow.

use std::error::Error as StdError;

use arrow_array::RecordBatch;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Type};

use super::copy::{DAYS_TO_2000, MICROS_TO_2000};
use super::text;
use crate::error::{Error, ErrorKind, Result};
use crate::load::values::{Building, built};
use crate::schema::{Column, ColumnType};

/// A value as it comes from the server.
struct Raw<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(
        _: &Type,
        raw: &'a [u8],
    ) -> std::result::Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Raw(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// Returns rows with these columns.
pub fn batch(rows: &[Row], columns: &[Column]) -> Result<RecordBatch> {
    let mut all = Vec::with_capacity(columns.len());
    for (at, column) in columns.iter().enumerate() {
        let changed = || {
            let message = format!("the column `{}` has values of another type", column.name);
            Error::new(ErrorKind::Destination, message).hint(
                "somebody has changed the table: give the column its type again, or drop the table",
            )
        };
        let mut values = Building::new(column.ty);
        for row in rows {
            let fits = *row.columns()[at].type_() == wire_type(column.ty);
            let value = row
                .try_get::<_, Option<Raw<'_>>>(at)
                .map_err(|_| changed())?;
            let value = value.map(|raw| raw.0);
            let pushed = push(&mut values, value);
            pushed.filter(|()| fits).ok_or_else(changed)?;
        }
        all.push(values);
    }
    built(columns, all, rows.len())
        .map_err(|error| Error::new(ErrorKind::Destination, "rows cannot be read").caused_by(error))
}

fn wire_type(ty: ColumnType) -> Type {
    match ty {
        ColumnType::Bool => Type::BOOL,
        ColumnType::Int64 => Type::INT8,
        ColumnType::Float64 => Type::FLOAT8,
        ColumnType::Decimal => Type::NUMERIC,
        ColumnType::Text => Type::TEXT,
        ColumnType::Timestamp => Type::TIMESTAMPTZ,
        ColumnType::Date => Type::DATE,
        ColumnType::Uuid => Type::UUID,
        ColumnType::Json => Type::JSON,
        ColumnType::Bytes => Type::BYTEA,
    }
}

/// Appends a value; returns `None` if it is not of the type.
fn push(values: &mut Building, value: Option<&[u8]>) -> Option<()> {
    macro_rules! push {
        ($builder:expr, $read:expr) => {
            match value {
                None => $builder.append_null(),
                Some(bytes) => $builder.append_value(($read)(bytes)?),
            }
        };
    }
    match values {
        Building::Bool(builder) => push!(builder, |bytes: &[u8]| Some(*bytes.first()? != 0)),
        Building::Int(builder) => push!(builder, int8),
        Building::Float(builder) => {
            push!(builder, |bytes| Some(f64::from_bits(int8(bytes)? as u64)));
        }
        Building::Decimal(builder) => push!(builder, billionths),
        Building::Text(builder) => {
            push!(builder, |bytes| Some(text::read(utf8(bytes)?.to_owned())));
        }
        Building::Json(builder) => push!(builder, utf8),
        Building::Uuid(builder) => push!(builder, uuid),
        Building::Timestamp(builder) => {
            push!(builder, |bytes| int8(bytes)?.checked_add(MICROS_TO_2000));
        }
        Building::Date(builder) => push!(builder, |bytes: &[u8]| {
            let days = i32::from_be_bytes(bytes.try_into().ok()?);
            days.checked_add(DAYS_TO_2000)
        }),
        Building::Bytes(builder) => push!(builder, Some),
    }
    Some(())
}

fn utf8(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

fn int8(bytes: &[u8]) -> Option<i64> {
    Some(i64::from_be_bytes(bytes.try_into().ok()?))
}

fn uuid(bytes: &[u8]) -> Option<String> {
    let digits = format!("{:032x}", u128::from_be_bytes(bytes.try_into().ok()?));
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|range| &digits[range]);
    Some(parts.join("-"))
}

/// Returns a `numeric` in billionths; `None` if it has finer or more digits, or is not a number.
pub fn billionths(bytes: &[u8]) -> Option<i128> {
    let words = bytes.chunks_exact(2).map(|pair| [pair[0], pair[1]]);
    let words: Vec<u16> = words.map(u16::from_be_bytes).collect();
    let [_, weight, sign, _, groups @ ..] = &words[..] else {
        return None;
    };
    let mut value: i128 = 0;
    // A group of weight -3 begins with the tenth digit after the point: it counts thousandths of billionths.
    for (at, group) in groups.iter().enumerate() {
        let weight = i32::from(*weight as i16) - i32::try_from(at).ok()?;
        let group = i128::from(*group);
        let part = match weight {
            -3 => (group % 1000 == 0).then_some(group / 1000)?,
            -2.. => {
                let factor = 10_i128.checked_pow(u32::try_from(4 * weight + 9).ok()?)?;
                group.checked_mul(factor)?
            }
            _ => (group == 0).then_some(0)?,
        };
        value = value.checked_add(part)?;
    }
    match *sign {
        0 => Some(value),
        0x4000 => Some(-value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::copy::numeric;
    use super::*;

    const MOST: i128 = 10_i128.pow(38) - 1;

    proptest! {
        #[test]
        fn every_number_comes_back(value in -MOST..=MOST, shift in 0..38_u32) {
            for value in [value, value / 10_i128.pow(shift), value / 10_i128.pow(shift) * 10_i128.pow(shift)] {
                let mut out = Vec::new();
                numeric(value, &mut out);
                prop_assert_eq!(billionths(&out), Some(value));
            }
        }
    }

    #[test]
    fn finer_numbers_are_not_cut() {
        let of = |words: &[i16]| {
            words
                .iter()
                .flat_map(|word| word.to_be_bytes())
                .collect::<Vec<_>>()
        };
        assert_eq!(billionths(&of(&[1, -3, 0, 9, 1000])), Some(1));
        assert_eq!(billionths(&of(&[1, -3, 0, 10, 1100])), None);
        assert_eq!(billionths(&of(&[1, 12, 0, 0, 1])), None);
        // NaN and infinity.
        assert_eq!(billionths(&of(&[0, 0, -0x4000, 0])), None);
        assert_eq!(billionths(&of(&[0, 0, -0x3000, 0])), None);
        assert_eq!(billionths(&[]), None);
    }
}
