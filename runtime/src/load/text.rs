//! Values as text, for destinations without a type for them.

/// `-12.5`: the exact number, without trailing zeros.
pub(crate) fn decimal(value: i128, scale: i8) -> String {
    let scale = usize::try_from(scale).unwrap_or(0);
    let digits = format!("{:0width$}", value.unsigned_abs(), width = scale + 1);
    let (whole, part) = digits.split_at(digits.len() - scale);
    let part = part.trim_end_matches('0');
    let (sign, point) = (
        if value < 0 { "-" } else { "" },
        if part.is_empty() { "" } else { "." },
    );
    format!("{sign}{whole}{point}{part}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{day, sortable};

    #[test]
    fn times_and_numbers_as_text() {
        assert_eq!(sortable(0).as_str(), "1970-01-01T00:00:00.000000Z");
        assert_eq!(sortable(-1).as_str(), "1969-12-31T23:59:59.999999Z");
        assert_eq!(
            sortable(951_827_696_123_456).as_str(),
            "2000-02-29T12:34:56.123456Z"
        );
        assert_eq!(day(19_789).as_str(), "2024-03-07");
        assert_eq!(day(-719_162).as_str(), "0001-01-01");
        for (value, text) in [
            (0, "0"),
            (1, "0.000000001"),
            (-12_500_000_000, "-12.5"),
            (7_000_000_000, "7"),
        ] {
            assert_eq!(decimal(value, 9), text);
        }
    }
}
