//! How results look: one file per output format. Nothing here decides; everything shown was decided before.
//!
//! Names, reasons and messages come from strangers, so every text goes through [`escape`] for where it lands.

pub mod check_json;
pub mod check_markdown;
pub mod check_text;
pub mod escape;
pub mod log_text;
pub mod number;
pub mod records_json;
pub mod show_text;
pub mod sparkline;
pub mod table;
