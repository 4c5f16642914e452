//! The points of a space without running any: listed, or compiled for architectures and tabulated.

use std::time::Duration;

use super::target::Target;
use crate::commands::context::Context;
use crate::commands::error::{CommandError, During};
use crate::commands::kernels;
use crate::commands::workspace::Workspace;
use crate::cuda::{self, Arch, CodePlan, Compiled, Compiler, CompilerMissing, PlanRequest};
use crate::harness::Interrupt;
use crate::report::progress::ProgressLine;
use crate::report::tune_list::{ListedPoint, Listing};
use crate::report::tuning::Code;

/// Points that are compiled between two looks at the user's wish to stop.
const AT_ONCE: usize = 32;

/// The valid points for each architecture.
pub(super) fn list(target: &Target) -> Result<Vec<Listing>, CommandError> {
    target.archs().iter().map(|arch| of_arch(target, *arch)).collect()
}

fn of_arch(target: &Target, arch: Arch) -> Result<Listing, CommandError> {
    let space = target.space(arch, None)?;
    let default = target.default(arch)?;
    let mut points = Vec::new();
    for tunables in (0..space.len()).map(|point| space.config(point)) {
        for config in target.configs() {
            let is_default = tunables == default;
            points.push(ListedPoint { tunables: tunables.clone(), config, is_default, code: None, failure: None });
        }
    }
    Ok(Listing { arch: arch.to_string(), compiler: None, combinations: space.combinations(), valid: space.len(), points })
}

/// The same, each point compiled. Ctrl-C leaves the rest without code.
pub(super) fn compile(target: &Target, workspace: &Workspace, context: &mut Context) -> Result<Vec<Listing>, CommandError> {
    let missing = |missing: CompilerMissing| CommandError::failure(missing).with_hint(CompilerMissing::HINT);
    let compiler = kernels::compiler(workspace, context).map_err(missing)?;
    let interrupt = Interrupt::on_ctrl_c().during("cannot start compiling")?;
    let mut listings = list(target)?;
    let total: usize = listings.iter().map(|listing| listing.points.len()).sum();
    let mut line = ProgressLine::new(total.div_ceil(AT_ONCE) as u64, context.terminal.progress);
    let (major, minor) = compiler.version();
    for (listing, arch) in listings.iter_mut().zip(target.archs()) {
        listing.compiler = Some(format!("NVRTC {major}.{minor}"));
        for points in listing.points.chunks_mut(AT_ONCE) {
            if interrupt.is_requested() {
                return Err(CommandError::failure("interrupted; what was compiled is kept for the next time"));
            }
            line.update(&format!("compiling {}", target.benchmark), &arch.to_string(), None::<Duration>);
            compile_some(target, (&compiler, *arch), points);
            line.end();
        }
    }
    line.finish();
    Ok(listings)
}

fn compile_some(target: &Target, (compiler, arch): (&Compiler, Arch), points: &mut [ListedPoint]) {
    let plan = |point: &ListedPoint| {
        let request = PlanRequest { config: &point.config, tunables: &point.tunables, arch, device: None };
        target.manifest().code(&request).map_err(|error| error.to_string())
    };
    let plans: Vec<Result<CodePlan, String>> = points.iter().map(plan).collect();
    let programs: Vec<_> = plans.iter().flatten().map(|plan| (&plan.program, arch)).collect();
    let mut compiled = compiler.compile_all(&programs).into_iter();
    for (point, plan) in points.iter_mut().zip(&plans) {
        let outcome = match plan {
            Err(why) => Err(why.clone()),
            Ok(plan) => match compiled.next() {
                Some(Ok(compiled)) => Ok(code(arch, plan, &compiled)),
                Some(Err(error)) => Err(error.to_string()),
                None => Err("it was not compiled".to_owned()),
            },
        };
        match outcome {
            Ok(code) => point.code = Some(code),
            Err(why) => point.failure = Some(why),
        }
    }
}

fn code(arch: Arch, plan: &CodePlan, compiled: &Compiled) -> Code {
    let code = &compiled.code;
    let occupancy =
        plan.block_threads.zip(plan.shared_bytes).and_then(|(threads, shared)| cuda::occupancy(arch, code, threads, shared));
    Code {
        registers: code.registers,
        spill_bytes: u64::from(code.spill_stores) + u64::from(code.spill_loads),
        shared_bytes: plan.shared_bytes.map(|dynamic| u64::from(code.shared_bytes) + u64::from(dynamic)),
        occupancy_percent: occupancy.map(|occupancy| 100.0 * occupancy.share),
        instructions: code.instructions,
    }
}
