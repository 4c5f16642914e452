//! From a kernel and a point to a plan: every expression is evaluated, and every number held against what CUDA allows.

use super::error::Problem;
use super::expression::{Expression, Names, Value};
use super::rules::{ArgumentRule, Define, FillRule, Kernel, LaunchRule, ReferenceRule, Source, TypeRule, ValueRule};
use super::{CodePlan, PlanRequest, Tunable};
use crate::cuda::{
    Argument, ArgumentValue, Buffer, DType, Fill, KernelPlan, Launch, Program, Reference, Scalar, Swizzle, TensorMap, Tolerance,
    Work,
};
use crate::model::Config;

/// Most blocks of a grid in x; in y and z 65,535 (CUDA C++ Programming Guide, technical specifications).
const MAX_GRID: [u64; 3] = [(1 << 31) - 1, 65_535, 65_535];
/// Most threads of a block in x, y and z.
const MAX_BLOCK: [u64; 3] = [1024, 1024, 64];
/// Most threads of a block.
const MAX_THREADS: u64 = 1024;
/// Most blocks of a cluster, where the kernel opts in to more than eight.
const MAX_CLUSTER: u64 = 16;
/// More shared memory than any block can have.
const MAX_SHARED_BYTES: u64 = 1 << 20;
/// More bytes than any device has.
const MAX_BUFFER_BYTES: u64 = 1 << 44;

impl Kernel {
    /// Everything that is needed to launch the kernel.
    pub(super) fn plan(&self, request: &PlanRequest<'_>) -> Result<KernelPlan, Problem> {
        let tunables = self.chosen(request)?;
        let names = names(request, &tunables);
        self.check_constraints(&names)?;
        let launch = launch(&self.launch, &names, request)?;
        let mut arguments: Vec<Argument> = Vec::new();
        for rule in &self.arguments {
            let value = argument(rule, &names, &arguments)?;
            arguments.push(Argument { name: rule.name.clone(), value });
        }
        let number = |rule: &Option<Expression>| rule.as_ref().map(|rule| positive(rule, &names)).transpose();
        let work = Work {
            flop: number(&self.work.flop)?,
            flop_dtype: self.work.flop_dtype.as_ref().map(|rule| rule.dtype(&names)).transpose()?,
            tensor_cores: self.work.tensor_cores,
            bytes: number(&self.work.bytes)?,
        };
        let reference = self.reference.as_ref().map(|rule| self.reference(rule, request, &tunables)).transpose()?;
        let program = self.program(&tunables, &names)?;
        Ok(KernelPlan { program, launch, arguments, work, reference, deterministic: self.deterministic })
    }

    /// What the compiler needs, and what of the launch is known without a device.
    pub(super) fn code(&self, request: &PlanRequest<'_>) -> Result<CodePlan, Problem> {
        let tunables = self.chosen(request)?;
        let names = names(request, &tunables);
        unless_a_device_is_needed(self.check_constraints(&names))?;
        let block = unless_a_device_is_needed(dimensions(&self.launch.block, &names, MAX_BLOCK))?;
        let block_threads = block.map(|block| threads(&self.launch, block)).transpose()?;
        let shared_bytes = unless_a_device_is_needed(self.launch.shared_bytes.within(&names, 0, MAX_SHARED_BYTES))?;
        Ok(CodePlan {
            program: self.program(&tunables, &names)?,
            tunables,
            block_threads,
            shared_bytes: shared_bytes.map(|bytes| bytes as u32),
        })
    }

    /// Whether a choice of tunables makes sense at this point.
    pub(super) fn satisfies(&self, request: &PlanRequest<'_>) -> Result<bool, Problem> {
        let names = names(request, &self.chosen(request)?);
        self.constraints.iter().try_fold(true, |holds, constraint| Ok(constraint.truth(&names)? && holds))
    }

    fn check_constraints(&self, names: &Names) -> Result<(), Problem> {
        for constraint in &self.constraints {
            if !constraint.truth(names)? {
                return Err(constraint
                    .problem("does not hold for this config and these tunables")
                    .hint("choose other tunables, or leave the config out"));
            }
        }
        Ok(())
    }

    /// Every tunable with the value that was asked for, or its default.
    fn chosen(&self, request: &PlanRequest<'_>) -> Result<Config, Problem> {
        for (name, value) in request.tunables.iter() {
            let key = format!("tunables.{name}");
            let Some(tunable) = self.tunables.iter().find(|tunable| tunable.name == name) else {
                let known: Vec<&str> = self.tunables.iter().map(|tunable| tunable.name.as_str()).collect();
                return Err(Problem::key(key, "there is no such tunable").hint(format!("there are: {}", known.join(", "))));
            };
            if !tunable.values.iter().any(|known| known == value) {
                let message = format!("{value} is not among the values {}", tunable.values.join(", "));
                return Err(Problem::key(key, message));
            }
        }
        defaults(&self.tunables, request.tunables)
    }

    fn program(&self, tunables: &Config, names: &Names) -> Result<Program, Problem> {
        Ok(self.compiled(&self.source, &self.entry, macros(tunables, &self.defines, names)?))
    }

    fn compiled(&self, source: &Source, entry: &str, defines: Vec<(String, String)>) -> Program {
        Program {
            name: source.path.clone(),
            source: source.text.clone(),
            headers: source.headers.clone(),
            entry: entry.to_owned(),
            standard: self.standard.clone(),
            options: self.options.clone(),
            defines,
        }
    }

    fn reference(&self, rule: &ReferenceRule, request: &PlanRequest<'_>, chosen: &Config) -> Result<Reference, Problem> {
        let (tunables, defines) = match &rule.of_base {
            Some((tunables, defines)) => (defaults(tunables, &Config::empty())?, defines),
            None => (chosen.clone(), &self.defines),
        };
        let names = names(request, &tunables);
        Ok(Reference {
            program: self.compiled(&rule.source, &rule.entry, macros(&tunables, defines, &names)?),
            launch: launch(&rule.launch, &names, request)?,
            arguments: rule.arguments.clone(),
            output_dtype: rule.output_dtype.as_ref().map(|rule| rule.dtype(&names)).transpose()?,
            tolerance: Tolerance { frobenius: positive(&rule.frobenius, &names)?, largest: positive(&rule.largest, &names)? },
        })
    }
}

fn defaults(tunables: &[Tunable], over: &Config) -> Result<Config, Problem> {
    let value = |tunable: &Tunable| over.get(&tunable.name).unwrap_or(&tunable.default).to_owned();
    Config::new(tunables.iter().map(|tunable| (tunable.name.clone(), value(tunable))))
        .map_err(|error| Problem::key("tunables", error.to_string()))
}

/// What expressions may name. Of the device, only the number of its multiprocessors and its cache cannot be told from the
/// architecture.
fn names(request: &PlanRequest<'_>, tunables: &Config) -> Names {
    let mut names = Names::default();
    for (name, value) in request.config.iter().chain(tunables.iter()) {
        names.insert(name, Value::of_text(value));
    }
    let limits = crate::cuda::occupancy::limits(request.arch);
    let of_arch = |told: Option<u64>, name: &'static str, names: &mut Names| match told {
        Some(value) => names.insert(name, Value::Integer(i64::try_from(value).unwrap_or(i64::MAX))),
        None => names.without_device(&[name]),
    };
    let device = request.device;
    names.insert("arch", Value::Integer(request.arch.number.into()));
    of_arch(device.map(|device| device.sm_count.into()), "sm_count", &mut names);
    of_arch(device.map(|device| device.l2_bytes), "l2_bytes", &mut names);
    of_arch(Some(device.map_or(32, |device| device.warp_size).into()), "warp_size", &mut names);
    of_arch(Some(device.map_or(MAX_THREADS, |device| device.max_threads_per_block.into())), "max_threads_per_block", &mut names);
    let shared = device.map(|device| device.shared_bytes_per_block).or(limits.map(|limits| limits.shared_bytes_per_block));
    of_arch(shared.map(u64::from), "shared_bytes_per_block", &mut names);
    names
}

fn macros(tunables: &Config, defines: &[(String, Define)], names: &Names) -> Result<Vec<(String, String)>, Problem> {
    let mut macros: Vec<(String, String)> = tunables.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    for (name, define) in defines {
        let value = match define {
            Define::Computed(expression) => expression.value(names)?.to_macro(),
            Define::Pattern { key, text } => fill_in(key, text, names)?,
        };
        macros.push((name.clone(), value));
    }
    Ok(macros)
}

/// Replaces every `{PARAMETER}`: an element type by its name in C++, anything else by its text.
fn fill_in(key: &str, text: &str, names: &Names) -> Result<String, Problem> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').ok_or_else(|| Problem::key(key, format!("`{text}`: a `{{` is not closed")))?;
        let value = names.value(name).ok_or_else(|| {
            Problem::key(key, format!("`{text}`: there is no parameter `{name}`"))
                .hint("add it to the matrix and to every [[config]]")
        })?;
        filled.push_str(before);
        match &value {
            Value::Text(text) => match text.parse::<DType>() {
                Ok(dtype) => filled.push_str(dtype.cuda_name()),
                Err(_) => filled.push_str(text),
            },
            other => filled.push_str(&other.to_macro()),
        }
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

impl TypeRule {
    fn dtype(&self, names: &Names) -> Result<DType, Problem> {
        let parameter = self.text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
        let word = match parameter {
            None => self.text.clone(),
            Some(name) => match names.value(name) {
                Some(value) => value.to_macro(),
                None => {
                    let message = format!("there is no parameter `{name}`");
                    return Err(Problem::key(&self.key, message).hint("add it to the matrix and to every [[config]]"));
                }
            },
        };
        word.parse().map_err(|error: crate::cuda::ParseDTypeError| Problem::key(&self.key, error.to_string()))
    }
}

/// `None` in place of what only a device can tell.
fn unless_a_device_is_needed<T>(result: Result<T, Problem>) -> Result<Option<T>, Problem> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Problem::NeedsDevice { .. }) => Ok(None),
        Err(problem) => Err(problem),
    }
}

fn positive(expression: &Expression, names: &Names) -> Result<f64, Problem> {
    let value = expression.number(names)?;
    if value < 0.0 { Err(expression.problem(format!("gives {value}, which is negative"))) } else { Ok(value) }
}

/// One to three dimensions; those that are not given are 1.
fn dimensions(expressions: &[Expression], names: &Names, most: [u64; 3]) -> Result<[u32; 3], Problem> {
    let mut dimensions = [1; 3];
    for ((dimension, expression), most) in dimensions.iter_mut().zip(expressions).zip(most) {
        *dimension = expression.within(names, 1, most)? as u32;
    }
    Ok(dimensions)
}

fn threads(rule: &LaunchRule, block: [u32; 3]) -> Result<u32, Problem> {
    let threads: u64 = block.iter().map(|extent| u64::from(*extent)).product();
    if threads <= MAX_THREADS {
        return Ok(threads as u32);
    }
    let [x, y, z] = block;
    let key = rule.block.first().map_or("launch.block", Expression::key);
    Err(Problem::key(key, format!("{x} × {y} × {z} are {threads} threads; a block has at most {MAX_THREADS}")))
}

fn launch(rule: &LaunchRule, names: &Names, request: &PlanRequest<'_>) -> Result<Launch, Problem> {
    let grid = dimensions(&rule.grid, names, MAX_GRID)?;
    let block = dimensions(&rule.block, names, MAX_BLOCK)?;
    threads(rule, block)?;
    let most_shared = request.device.map_or(MAX_SHARED_BYTES, |device| device.shared_bytes_per_block.into());
    let shared_bytes = rule.shared_bytes.within(names, 0, most_shared)? as u32;
    let cluster = rule.cluster.as_ref().map(|cluster| self::cluster(cluster, grid, names, request)).transpose()?;
    Ok(Launch { grid, block, shared_bytes, cluster })
}

fn cluster(rule: &[Expression], grid: [u32; 3], names: &Names, request: &PlanRequest<'_>) -> Result<[u32; 3], Problem> {
    let cluster = dimensions(rule, names, [MAX_CLUSTER; 3])?;
    let problem = |message: String| Problem::key(rule.first().map_or("launch.cluster", Expression::key), message);
    let blocks: u32 = cluster.iter().product();
    if u64::from(blocks) > MAX_CLUSTER {
        return Err(problem(format!("{cluster:?} are {blocks} blocks; a cluster has at most {MAX_CLUSTER}")));
    }
    if request.arch.number < 90 {
        return Err(problem(format!("there are no clusters before sm_90, and this is {}", request.arch))
            .hint("give the cluster in a [[variant]] for sm_90"));
    }
    if grid.iter().zip(cluster).any(|(grid, cluster)| grid % cluster != 0) {
        return Err(problem(format!("the grid {grid:?} is not a multiple of the cluster {cluster:?}")));
    }
    Ok(cluster)
}

fn argument(rule: &ArgumentRule, names: &Names, before: &[Argument]) -> Result<ArgumentValue, Problem> {
    match &rule.value {
        ValueRule::Buffer { dtype, shape, fill, role } => {
            let dtype = dtype.dtype(names)?;
            let shape = shape.iter().map(|extent| extent.within(names, 1, MAX_BUFFER_BYTES)).collect::<Result<Vec<_>, _>>()?;
            let bytes = shape.iter().try_fold(dtype.size(), |bytes, extent| bytes.checked_mul(*extent));
            if bytes.is_none_or(|bytes| bytes > MAX_BUFFER_BYTES) {
                return Err(Problem::key(&rule.key, format!("a buffer of {shape:?} × {dtype} is larger than any device")));
            }
            Ok(ArgumentValue::Buffer(Buffer { dtype, fill: fill_of(&rule.key, fill, dtype, names)?, shape, role: *role }))
        }
        ValueRule::Scalar { dtype, value } => Ok(ArgumentValue::Scalar(scalar(&dtype.key, dtype.dtype(names)?, value, names)?)),
        ValueRule::TensorMap { .. } => Ok(ArgumentValue::TensorMap(tensor_map(rule, names, before)?)),
    }
}

fn fill_of(key: &str, rule: &FillRule, dtype: DType, names: &Names) -> Result<Fill, Problem> {
    match rule {
        FillRule::Zeros => Ok(Fill::Zeros),
        FillRule::Poison => Ok(Fill::Poison),
        FillRule::Uniform { low, high, seed } => {
            let (low, high) = (low.number(names)?, high.number(names)?);
            if low >= high {
                return Err(Problem::key(key, format!("fill: uniform from {low} to {high} holds nothing")));
            }
            Ok(Fill::Uniform { low, high, seed: *seed })
        }
        FillRule::Normal { .. } if !dtype.is_float() => {
            Err(Problem::key(key, format!("fill: {dtype} cannot be normally distributed")).hint("use uniform"))
        }
        FillRule::Normal { mean, deviation, seed } => {
            Ok(Fill::Normal { mean: mean.number(names)?, deviation: positive(deviation, names)?, seed: *seed })
        }
    }
}

fn scalar(key: &str, dtype: DType, value: &Expression, names: &Names) -> Result<Scalar, Problem> {
    let too_large = |whole: i64| value.problem(format!("gives {whole}, which is no {dtype}"));
    let whole = || value.integer(names);
    match dtype {
        DType::I32 => whole().and_then(|whole| i32::try_from(whole).map(Scalar::I32).map_err(|_| too_large(whole))),
        DType::U32 => whole().and_then(|whole| u32::try_from(whole).map(Scalar::U32).map_err(|_| too_large(whole))),
        DType::I64 => whole().map(Scalar::I64),
        DType::F32 => value.number(names).map(|number| Scalar::F32(number as f32)),
        DType::F64 => value.number(names).map(Scalar::F64),
        other => Err(Problem::key(key, format!("a scalar is i32, u32, i64, f32 or f64, not {other}"))),
    }
}

/// Most elements of a tile along one dimension (`cuTensorMapEncodeTiled`).
const MAX_TILE: u64 = 256;

fn tensor_map(rule: &ArgumentRule, names: &Names, before: &[Argument]) -> Result<TensorMap, Problem> {
    let ValueRule::TensorMap { buffer, extents, strides, tile, swizzle } = &rule.value else {
        return Err(Problem::key(&rule.key, "is no tensor map"));
    };
    let problem = |message: String| Problem::key(&rule.key, message);
    let viewed = before.iter().find_map(|argument| match &argument.value {
        ArgumentValue::Buffer(viewed) if argument.name == *buffer => Some(viewed),
        _ => None,
    });
    let viewed = viewed.ok_or_else(|| problem(format!("there is no buffer `{buffer}` before it")))?;
    let extents = extents.iter().map(|extent| extent.within(names, 1, 1 << 32)).collect::<Result<Vec<_>, _>>()?;
    let tile = tile.iter().map(|extent| Ok(extent.within(names, 1, MAX_TILE)? as u32)).collect::<Result<Vec<_>, Problem>>()?;
    let strides = match strides {
        Some(strides) => strides.iter().map(|stride| stride.within(names, 16, (1 << 40) - 1)).collect::<Result<Vec<_>, _>>()?,
        None => row_strides(&extents, viewed.dtype.size()).ok_or_else(|| problem("its extents overflow".to_owned()))?,
    };
    if tile.len() != extents.len() || strides.len() + 1 != extents.len() {
        let counts = format!("{} extents, {} in the tile and {} strides", extents.len(), tile.len(), strides.len());
        return Err(problem(format!("{counts} do not fit: tiles have as many as extents, strides one fewer")));
    }
    if let Some(stride) = strides.iter().find(|stride| *stride % 16 != 0) {
        return Err(problem(format!("a stride of {stride} bytes is no multiple of 16")));
    }
    let swizzle = match swizzle {
        0 => Swizzle::None,
        32 => Swizzle::B32,
        64 => Swizzle::B64,
        128 => Swizzle::B128,
        other => return Err(problem(format!("a swizzle of {other} bytes does not exist")).hint("use 0, 32, 64 or 128")),
    };
    let map = TensorMap { buffer: buffer.clone(), extents, strides, tile, swizzle };
    match unfit(&map, viewed) {
        Some(why) => Err(problem(why)),
        None => Ok(map),
    }
}

/// Why the driver would refuse this map, without telling why, or why it would read beyond the buffer.
fn unfit(map: &TensorMap, viewed: &Buffer) -> Option<String> {
    let size = viewed.dtype.size();
    let row = u64::from(*map.tile.first()?) * size;
    let span = match map.swizzle {
        Swizzle::None => u64::MAX,
        Swizzle::B32 => 32,
        Swizzle::B64 => 64,
        Swizzle::B128 => 128,
    };
    let further = map.strides.iter().zip(map.extents.iter().skip(1));
    let reaches = further.fold(map.extents.first()?.saturating_mul(size), |reaches, (stride, extent)| {
        reaches.saturating_add(stride.saturating_mul(extent - 1))
    });
    if !row.is_multiple_of(16) {
        Some(format!("a row of its tile has {row} bytes, no multiple of 16"))
    } else if row > span {
        Some(format!("a row of its tile has {row} bytes, more than the {span} of the swizzle"))
    } else if reaches > viewed.bytes() {
        Some(format!("it reaches to byte {reaches} of a buffer of {}", viewed.bytes()))
    } else {
        None
    }
}

/// Strides in bytes of a dense tensor, from the second dimension on.
fn row_strides(extents: &[u64], size: u64) -> Option<Vec<u64>> {
    let mut stride = size;
    let mut strides = Vec::new();
    for extent in extents.get(..extents.len().checked_sub(1)?)? {
        stride = stride.checked_mul(*extent)?;
        strides.push(stride);
    }
    Some(strides)
}
