"""What scripts/gpu-acceptance runs: everything about the tool that only a real GPU can show.

Each part is a module with one function `run(session)`. `__main__` puts them in order, `session` keeps the time and what
was said, `lab` makes the scratch repositories, `plan.toml` holds every kernel, limit and target. Standard library only;
PyTorch and ncu are other programs, which are asked where they are there. No setting of the GPU is changed.
"""
