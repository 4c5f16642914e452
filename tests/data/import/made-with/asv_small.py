class Sort:
    params = ([10, 1000], ["list", "tuple"])
    param_names = ["size", "kind"]
    number = 10
    repeat = 4
    rounds = 1
    warmup_time = 0

    def setup(self, size, kind):
        if size == 1000 and kind == "tuple":
            raise NotImplementedError
        self.numbers = {"list": list, "tuple": tuple}[kind](range(size, 0, -1))

    def time_sorted(self, size, kind):
        sorted(self.numbers)

    def peakmem_sorted(self, size, kind):
        sorted(self.numbers)


def time_plain():
    sum(range(100))


time_plain.number = 20
time_plain.repeat = 5
time_plain.rounds = 1
time_plain.warmup_time = 0


def timeraw_start():
    return "import json"


timeraw_start.repeat = 2
timeraw_start.rounds = 1
timeraw_start.number = 1


def time_fails():
    raise ValueError("no")


def mem_list():
    return [0] * 256


def track_answer():
    return 42


track_answer.unit = "widgets"


def track_seconds():
    return 0.25


track_seconds.unit = "s"
