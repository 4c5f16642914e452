//! Formats of those who write CUDA and serve models: PyTorch's, Kernel Tuner's, vLLM's, SGLang's.

use super::*;
use crate::model::BenchmarkName;

fn named(name: &str) -> ImportOptions {
    ImportOptions { benchmark: Some(BenchmarkName::new(name).unwrap()), ..ImportOptions::default() }
}

fn single(value: f64) -> Summary {
    Summary::single(value)
}

#[test]
fn records_of_pytorch_are_told_apart_by_their_config() {
    let imported = import_fixture("pytorch/records.json");
    let config = "mode=inference dtype=bfloat16 backend=inductor device=cuda is_dynamic=false";
    assert_eq!(imported.testbed.as_deref(), Some("NVIDIA A100"));
    let latency = find(&imported, "op benchmark/softmax", &format!("{config} method=forward"), "latency");
    assert_sample(latency, "s", Direction::Lower, &[0.00131, 0.00129, 0.0013]);
    let memory = find(&imported, "op benchmark/softmax", config, "peak_memory");
    assert_value(memory, "B", Direction::Lower, 333.5e6);
    let rate = find(&imported, "op benchmark/softmax", "backend=eager", "tokens_per_second");
    assert_value(rate, "/s", Direction::Higher, 910.5);
    assert_value(find(&imported, "op benchmark/softmax", "", "speedup"), "1", Direction::Higher, 1.5);
    let warned = warnings(&imported).join("\n");
    assert!(warned.contains("`cosine_similarity` left out: nothing tells whether"), "{warned}");
    assert!(warned.contains("its values are not all numbers"), "{warned}");
    assert_eq!(imported.measurements.len(), 4);
}

#[test]
fn pytorch_is_read_as_lines_of_objects_and_lists_and_as_one_object() {
    let lines = import_fixture("pytorch/records.jsonl");
    let vllm = "input_len=32 output_len=128 batch_size=8 tensor_parallel_size=2";
    assert_sample(find(&lines, "vLLM benchmark/m", vllm, "latency"), "1", Direction::Lower, &[1.23, 1.25, 1.27]);
    let count = find(&lines, "pr_time/add_loop", "backend=eager", "compile_time_instruction_count");
    assert_value(count, "1", Direction::Lower, 3_086_359_081.0);
    let one = import_fixture("pytorch/record.json");
    assert_value(find(&one, "pr_time/add_loop", "backend=eager", "execution_time"), "s", Direction::Lower, 12.5e-6);
    let text = std::fs::read_to_string(fixture("pytorch/records.jsonl")).unwrap() + "{\"benchmark\": \n";
    assert!(import_text(&text).unwrap_err().to_string().contains("line 3"));
}

#[test]
fn a_cache_of_kernel_tuner_gives_each_configuration_as_a_sample() {
    let (imported, file) = (import_fixture("kernel-tuner/cache.json"), json_fixture("kernel-tuner/cache.json"));
    assert_eq!((imported.format, imported.testbed.as_deref()), (Format::KernelTuner, Some("NVIDIA Tuned GPU")));
    for (key, config) in [("16,no", "tile=16 unroll=no"), ("32,no", "tile=32 unroll=no"), ("32,yes", "tile=32 unroll=yes")] {
        let times: Vec<f64> = numbers(&file, &format!("/cache/{key}/times")).iter().map(|ms| ms / 1e3).collect();
        let config = format!("problem_size=100000 {config}");
        assert_sample(find(&imported, "scale", &config, "time"), "s", Direction::Lower, &times);
        let bandwidth = find(&imported, "scale", &config, "bandwidth");
        let rate = number(&file, &format!("/cache/{key}/GB~1s")) * 1e9;
        assert_statistics(bandwidth, "B/s", Direction::Higher, &single(rate));
        assert_eq!(bandwidth.metric.follows.as_ref().unwrap().as_str(), "time");
    }
    assert_eq!(imported.measurements.len(), 6);
    assert_eq!(warnings(&imported), ["2 configurations: failed in the tool: CompilationFailedConfig"]);
}

#[test]
fn a_cache_that_was_never_closed_is_read_as_far_as_it_goes() {
    let imported = import_fixture("kernel-tuner/open.json");
    assert_eq!(imported.measurements, import_fixture("kernel-tuner/cache.json").measurements);
    assert_eq!(warnings(&imported), ["1 configuration: failed in the tool: CompilationFailedConfig"]);
    let text = std::fs::read_to_string(fixture("kernel-tuner/open.json")).unwrap();
    let cut = &text[..text.rfind("\"tile\": 64").unwrap()];
    let options = ImportOptions { format: Some(Format::KernelTuner), ..ImportOptions::default() };
    let said = import(cut.as_bytes(), &options).unwrap_err().to_string();
    assert!(said.contains("not valid JSON: EOF"), "{said}");
}

#[test]
fn results_in_the_t4_format_have_to_be_named() {
    let said = import_path(&fixture("kernel-tuner/t4.json"), &ImportOptions::default()).unwrap_err().to_string();
    assert_eq!(said, "this kernel-tuner file does not name what it measured: say --benchmark NAME");
    let t4 = import_path(&fixture("kernel-tuner/t4.json"), &named("scale")).unwrap();
    let cache = import_fixture("kernel-tuner/cache.json");
    for config in ["tile=16 unroll=no", "tile=32 unroll=no", "tile=32 unroll=yes"] {
        for metric in ["time", "bandwidth"] {
            let (a, b) =
                (find(&t4, "scale", config, metric), find(&cache, "scale", &format!("problem_size=100000 {config}"), metric));
            assert_eq!((&a.values, &a.summary, &a.metric), (&b.values, &b.summary, &b.metric));
        }
    }
    assert_eq!(warnings(&t4), ["2 configurations: failed in the tool: compile"]);
}

#[test]
fn metrics_of_kernel_tuner_without_unit_are_named_once() {
    let points: Vec<String> =
        (1..=50).map(|i| format!(r#""{i}": {{"x": {i}, "time": {i}.5, "nvml_energy": 3.0, "note": "a"}}"#)).collect();
    let header = r#""device_name": "", "kernel_name": "k", "problem_size": [64, 32], "tune_params_keys": ["x"]"#;
    let imported =
        import_text(&format!("{{{header}, \"cache\": {{{}, \"51\": {{\"x\": 51, \"time\": 1e20}}}}}}", points.join(",")))
            .unwrap();
    assert_eq!(imported.measurements.len(), 50);
    assert_statistics(find(&imported, "k", "problem_size=64x32 x=3", "time"), "s", Direction::Lower, &single(0.0035));
    assert_eq!(imported.testbed, None);
    assert_eq!(imported.warnings.len(), 3, "{:?}", warnings(&imported));
}

#[test]
fn a_serving_benchmark_of_vllm_is_named_by_its_model() {
    let imported = import_fixture("vllm/serve.json");
    let config = "backend=openai-chat request_rate=inf burstiness=1.0 max_concurrency=16 num_prompts=3 tensor_parallel_size=2";
    let of = |metric: &str| find(&imported, "org/small-model", config, metric);
    assert_statistics(of("request_throughput"), "{requests}/s", Direction::Higher, &single(2.0));
    assert_statistics(of("output_throughput"), "{tokens}/s", Direction::Higher, &single(40.0));
    assert_statistics(of("total_token_throughput"), "{tokens}/s", Direction::Higher, &single(60.0));
    let ttft = Summary { n: 3, mean: Some(0.021), stddev: Some(0.0015), ..single(0.02) };
    assert_statistics(of("ttft"), "s", Direction::Lower, &ttft);
    assert_statistics(of("ttft_p99"), "s", Direction::Lower, &single(0.0235));
    let itl = Summary { n: 1, mean: Some(0.01), stddev: Some(0.00025), ..single(0.0095) };
    assert_statistics(of("itl"), "s", Direction::Lower, &itl);
    assert_eq!(imported.measurements.len(), 9);
    assert!(imported.warnings.is_empty());
}

#[test]
fn detailed_results_of_vllm_have_samples_without_the_failed_requests() {
    let imported = import_fixture("vllm/serve-detailed.jsonl");
    let config = "backend=vllm request_rate=4.0 burstiness=1.0 num_prompts=3 label=nightly";
    let of = |metric: &str| find(&imported, "org/small-model", config, metric);
    assert_sample(of("ttft"), "s", Direction::Lower, &[0.021, 0.019]);
    assert_sample(of("e2el"), "s", Direction::Lower, &[0.5, 0.75]);
    assert_close(of("ttft_p99.9").summary.median, 0.020_998);
    assert_statistics(of("request_goodput"), "{requests}/s", Direction::Higher, &single(1.0));
    let warned = warnings(&imported).join("\n");
    assert!(warned.contains("1 of 3 requests failed") && warned.contains("line 2: failed in the tool: no request was completed"));
    assert!(warned.contains("tpot left out"), "{warned}");
    assert!(imported.measurements.iter().all(|measured| measured.config.get("request_rate") == Some("4.0")));
}

#[test]
fn latency_and_throughput_of_vllm_have_to_be_named() {
    for name in ["vllm/latency.json", "vllm/throughput.json"] {
        let said = import_path(&fixture(name), &ImportOptions::default()).unwrap_err().to_string();
        assert!(said.contains("this vllm file does not name what it measured"), "{said}");
    }
    let latency = import_path(&fixture("vllm/latency.json"), &named("small")).unwrap();
    assert_sample(find(&latency, "small", "", "latency"), "s", Direction::Lower, &[1.23, 1.25, 1.27]);
    let throughput = import_path(&fixture("vllm/throughput.json"), &named("small")).unwrap();
    let of = |metric: &str| find(&throughput, "small", "num_requests=100", metric);
    assert_statistics(of("tokens_per_second"), "{tokens}/s", Direction::Higher, &single(3072.0));
    assert_statistics(of("elapsed_time"), "s", Direction::Lower, &single(12.5));
}

#[test]
fn a_line_of_sglang_is_a_run() {
    let imported = import_fixture("sglang/serving.jsonl");
    let config = "backend=sglang dataset_name=random request_rate=4.0 max_concurrency=8 random_input_len=1024 random_output_len=128 random_range_ratio=0.5";
    let of = |metric: &str| find(&imported, "org/small-model", config, metric);
    assert_statistics(of("total_throughput"), "{tokens}/s", Direction::Higher, &single(4608.0));
    let latency = Summary { n: 20, mean: Some(0.35), stddev: Some(0.0125), ..single(0.34) };
    assert_statistics(of("e2e_latency"), "s", Direction::Lower, &latency);
    assert_statistics(of("e2e_latency_p90"), "s", Direction::Lower, &single(0.36));
    assert!(warnings(&imported)[0].contains("no request was completed"));
    let batches = import_fixture("sglang/one-batch.jsonl");
    let of = |metric: &str| find(&batches, "before", "batch_size=8 input_len=256 output_len=16", metric);
    assert_statistics(of("prefill_latency"), "s", Direction::Lower, &single(0.05));
    assert_statistics(of("overall_throughput"), "{tokens}/s", Direction::Higher, &single(17408.0));
    let offline = import_path(&fixture("sglang/offline.jsonl"), &named("small")).unwrap();
    assert_statistics(find(&offline, "small", "backend=engine", "total_latency"), "s", Direction::Lower, &single(2.5));
}
