//! `[roofline]`: limits of the chip, where neither a measurement nor a datasheet tells.

/// Limits that the user gives; what is absent is measured or looked up.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RooflineSettings {
    /// The chip whose datasheet holds, such as `L4`.
    pub gpu: Option<String>,
    /// Peak bandwidth in bytes per second.
    pub bandwidth: Option<f64>,
    /// Peak rates in operations per second, by the word for what is computed in.
    pub peak: Vec<(String, f64)>,
}
