//! Expressions: arithmetic over names, evaluated by rhai within limits.
//!
//! Only expressions are read: no statement, no loop, no assignment, no function of the language's own but the few below.
//! Whole numbers are 64 bits wide and checked: an overflow or a division by zero is an error, never a wrapped number.

use std::sync::OnceLock;

use rhai::{AST, Dynamic, Engine, EvalAltResult, OptimizationLevel, Scope};

use super::error::Problem;
use crate::cuda::DType;
use crate::written::Scalar;

/// Longest expression in bytes.
const MAX_BYTES: usize = 1024;
const MAX_OPERATIONS: u64 = 10_000;
const MAX_DEPTH: usize = 32;
/// From here on a whole number has no exact floating-point value.
const EXACT_FLOAT: f64 = 9_007_199_254_740_992.0;

/// A value of a parameter, a tunable or an expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Integer(i64),
    Float(f64),
    Boolean(bool),
    Text(String),
}

impl Value {
    /// The value of a parameter from its text: `128` is a whole number, `0.5` another, `true` a truth value.
    pub(super) fn of_text(text: &str) -> Self {
        let numeric = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'));
        if let Some(value) = text.parse().ok().filter(|_| numeric) {
            return Self::Integer(value);
        }
        match (text.parse::<f64>(), text) {
            (Ok(value), _) if numeric && value.is_finite() => Self::Float(value),
            (_, "true") => Self::Boolean(true),
            (_, "false") => Self::Boolean(false),
            _ => Self::Text(text.to_owned()),
        }
    }

    /// A value as it is written.
    pub(super) fn of(scalar: Scalar) -> Self {
        match scalar {
            Scalar::Boolean(value) => Self::Boolean(value),
            Scalar::Integer(value) => Self::Integer(value),
            Scalar::Float(value) => Self::Float(value),
            Scalar::Text(value) => Self::Text(value),
        }
    }

    /// As a macro of C++.
    pub(super) fn to_macro(&self) -> String {
        match self {
            Self::Integer(value) => value.to_string(),
            Self::Float(value) => format!("{value:?}"),
            Self::Boolean(value) => value.to_string(),
            Self::Text(value) => value.clone(),
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Integer(_) => "a whole number",
            Self::Float(_) => "a number with a fraction",
            Self::Boolean(_) => "a truth value",
            Self::Text(_) => "a text",
        }
    }

    fn into_dynamic(self) -> Dynamic {
        match self {
            Self::Integer(value) => value.into(),
            Self::Float(value) => value.into(),
            Self::Boolean(value) => value.into(),
            Self::Text(value) => value.into(),
        }
    }

    fn from_dynamic(value: Dynamic) -> Option<Self> {
        if let Ok(value) = value.as_int() {
            return Some(Self::Integer(value));
        }
        if let Ok(value) = value.as_float() {
            return Some(Self::Float(value));
        }
        if let Ok(value) = value.as_bool() {
            return Some(Self::Boolean(value));
        }
        value.into_string().ok().map(Self::Text)
    }
}

/// What expressions may name.
#[derive(Clone, Default)]
pub(super) struct Names {
    scope: Scope<'static>,
    known: Vec<String>,
    /// Names that only a device gives, where there is none.
    of_a_device: Vec<&'static str>,
}

impl Names {
    pub(super) fn insert(&mut self, name: &str, value: Value) {
        self.scope.push_constant_dynamic(name, value.into_dynamic());
        self.known.push(name.to_owned());
    }

    pub(super) fn without_device(&mut self, names: &[&'static str]) {
        self.of_a_device.extend(names);
    }

    pub(super) fn value(&self, name: &str) -> Option<Value> {
        self.scope.get(name).cloned().and_then(Value::from_dynamic)
    }
}

/// An expression and the key that it stands at.
#[derive(Debug, Clone)]
pub(super) struct Expression {
    key: String,
    text: String,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Constant(Value),
    Computed(Box<AST>),
}

impl Expression {
    /// A number or truth value that stands where an expression may stand.
    pub(super) fn constant(key: impl Into<String>, value: Value) -> Self {
        Self { key: key.into(), text: value.to_macro(), kind: Kind::Constant(value) }
    }

    pub(super) fn parse(key: impl Into<String>, text: &str) -> Result<Self, Problem> {
        let key = key.into();
        if text.len() > MAX_BYTES {
            let message = format!("an expression has at most {MAX_BYTES} bytes, this one has {}", text.len());
            return Err(Problem::key(key, message));
        }
        match engine().compile_expression(text) {
            Ok(ast) => Ok(Self { key, text: text.to_owned(), kind: Kind::Computed(Box::new(ast)) }),
            Err(error) => Err(Problem::Expression {
                key,
                expression: text.to_owned(),
                message: format!("this is no expression: {error}"),
                hint: Some("docs/kernels.md lists what an expression may hold".to_owned()),
            }),
        }
    }

    pub(super) fn key(&self) -> &str {
        &self.key
    }

    pub(super) fn problem(&self, message: impl Into<String>) -> Problem {
        let (key, expression) = (self.key.clone(), self.text.clone());
        Problem::Expression { key, expression, message: message.into(), hint: None }
    }

    pub(super) fn value(&self, names: &Names) -> Result<Value, Problem> {
        let ast = match &self.kind {
            Kind::Constant(value) => return Ok(value.clone()),
            Kind::Computed(ast) => ast,
        };
        let result = engine().eval_ast_with_scope::<Dynamic>(&mut names.scope.clone(), ast);
        let value = result.map_err(|error| self.failed(*error, names))?;
        let kind = value.type_name();
        Value::from_dynamic(value)
            .ok_or_else(|| self.problem(format!("gives a value of the type {kind}, not a number, text or truth value")))
    }

    /// A whole number; a fraction is refused, a float that is whole is taken.
    pub(super) fn integer(&self, names: &Names) -> Result<i64, Problem> {
        match self.value(names)? {
            Value::Integer(value) => Ok(value),
            Value::Float(value) if value.fract() == 0.0 && value.abs() < EXACT_FLOAT => Ok(value as i64),
            other => Err(self.problem(format!("gives {} ({}), not a whole number", other.to_macro(), other.kind()))),
        }
    }

    /// A whole number from `least` to `most`.
    pub(super) fn within(&self, names: &Names, least: u64, most: u64) -> Result<u64, Problem> {
        let value = self.integer(names)?;
        let inside = u64::try_from(value).ok().filter(|value| (least..=most).contains(value));
        inside.ok_or_else(|| self.problem(format!("gives {value}; it must be from {least} to {most}")))
    }

    /// A finite number.
    pub(super) fn number(&self, names: &Names) -> Result<f64, Problem> {
        let value = match self.value(names)? {
            Value::Integer(value) => value as f64,
            Value::Float(value) => value,
            other => return Err(self.problem(format!("gives {}, not a number", other.kind()))),
        };
        if value.is_finite() { Ok(value) } else { Err(self.problem(format!("gives {value}, which is no finite number"))) }
    }

    pub(super) fn truth(&self, names: &Names) -> Result<bool, Problem> {
        match self.value(names)? {
            Value::Boolean(value) => Ok(value),
            other => Err(self.problem(format!("gives {}, not true or false", other.kind())).hint("compare it with something")),
        }
    }

    fn failed(&self, error: EvalAltResult, names: &Names) -> Problem {
        let problem = |message: String| self.problem(message);
        match error {
            EvalAltResult::ErrorVariableNotFound(name, _) if names.of_a_device.contains(&name.as_str()) => {
                Problem::NeedsDevice { key: self.key.clone(), expression: self.text.clone(), name }
            }
            EvalAltResult::ErrorVariableNotFound(name, _) => problem(format!("there is no `{name}`")).hint(known(&name, names)),
            EvalAltResult::ErrorFunctionNotFound(signature, _) => {
                let name = signature.split(' ').next().unwrap_or_default();
                problem(format!("there is no `{name}` for these values: {signature}"))
                    .hint("there are min, max, ceil_div, round_up, log2 and size")
            }
            EvalAltResult::ErrorTooManyOperations(_) => problem("takes too many steps".to_owned()),
            error => problem(error.to_string()),
        }
    }
}

fn known(name: &str, names: &Names) -> String {
    let close = names.known.iter().max_by(|a, b| strsim::jaro_winkler(name, a).total_cmp(&strsim::jaro_winkler(name, b)));
    match close.filter(|close| strsim::jaro_winkler(name, close) > 0.8) {
        Some(close) => format!("did you mean `{close}`?"),
        None => format!("known here: {}", names.known.join(", ")),
    }
}

/// One engine for all: it holds no state between evaluations.
fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let mut engine = Engine::new_raw();
        engine
            .set_optimization_level(OptimizationLevel::None)
            .set_max_operations(MAX_OPERATIONS)
            .set_max_expr_depths(MAX_DEPTH)
            .set_max_string_size(MAX_BYTES)
            .set_max_array_size(16);
        for word in
            ["eval", "Fn", "call", "curry", "is_def_var", "is_shared", "print", "debug", "type_of", "this", "switch", "in"]
        {
            engine.disable_symbol(word);
        }
        register(&mut engine);
        engine
    })
}

type Outcome<T> = Result<T, Box<EvalAltResult>>;

fn register(engine: &mut Engine) {
    engine
        .register_fn("min", |a: i64, b: i64| a.min(b))
        .register_fn("min", |a: f64, b: f64| a.min(b))
        .register_fn("min", |a: i64, b: f64| (a as f64).min(b))
        .register_fn("min", |a: f64, b: i64| a.min(b as f64))
        .register_fn("max", |a: i64, b: i64| a.max(b))
        .register_fn("max", |a: f64, b: f64| a.max(b))
        .register_fn("max", |a: i64, b: f64| (a as f64).max(b))
        .register_fn("max", |a: f64, b: i64| a.max(b as f64))
        .register_fn("ceil_div", ceil_div)
        .register_fn("round_up", |a: i64, b: i64| -> Outcome<i64> {
            ceil_div(a, b)?.checked_mul(b).ok_or_else(|| format!("round_up({a}, {b}) overflows").into())
        })
        .register_fn("log2", |a: i64| -> Outcome<i64> {
            a.checked_ilog2().map(i64::from).ok_or_else(|| format!("log2({a}) does not exist").into())
        })
        .register_fn("size", |dtype: &str| -> Outcome<i64> {
            let dtype: DType = dtype.parse().map_err(|error: crate::cuda::ParseDTypeError| error.to_string())?;
            Ok(dtype.size() as i64)
        })
        // The operators of whole numbers are built in; negation is not.
        .register_fn("-", |a: i64| -> Outcome<i64> { a.checked_neg().ok_or_else(|| format!("-({a}) overflows").into()) })
        .register_fn("-", |a: f64| -a)
        .register_fn("!", |a: bool| !a);
}

/// How many `b` cover `a`, for numbers that are counts.
fn ceil_div(a: i64, b: i64) -> Outcome<i64> {
    if a < 0 || b <= 0 {
        return Err(format!("ceil_div({a}, {b}): the first must not be negative, the second must be above zero").into());
    }
    Ok(a / b + i64::from(a % b != 0))
}
