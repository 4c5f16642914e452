//! The few distributions that the tests need, as plain functions. Parameters that no distribution has give `None`.

use statrs::distribution::{Binomial, ContinuousCDF, DiscreteCDF, Normal, StudentsT};

/// P(Z ≤ z) of the standard normal distribution.
pub fn normal_cdf(z: f64) -> f64 {
    Normal::standard().cdf(z)
}

/// The z with P(Z ≤ z) = p; infinite at 0 and 1.
pub fn normal_quantile(p: f64) -> Option<f64> {
    (0.0..=1.0).contains(&p).then(|| Normal::standard().inverse_cdf(p))
}

/// P(T > t) of Student's distribution; the degrees of freedom need not be whole.
pub fn student_upper_tail(t: f64, degrees: f64) -> Option<f64> {
    let student = StudentsT::new(0.0, 1.0, degrees).ok()?;
    match t {
        t if t.is_nan() => None,
        f64::INFINITY => Some(0.0),
        f64::NEG_INFINITY => Some(1.0),
        t => Some(student.sf(t)),
    }
}

/// The t with P(T ≤ t) = p of Student's distribution.
pub fn student_quantile(p: f64, degrees: f64) -> Option<f64> {
    let student = StudentsT::new(0.0, 1.0, degrees).ok()?;
    (0.0..=1.0).contains(&p).then(|| student.inverse_cdf(p))
}

/// P(X ≤ k) for X ~ Bin(n, p).
pub fn binomial_cdf(k: u64, n: u64, p: f64) -> Option<f64> {
    Binomial::new(p, n).ok().map(|binomial| binomial.cdf(k))
}
