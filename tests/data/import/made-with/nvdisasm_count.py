# Counts instructions in what nvdisasm prints: without the NOPs at the end, and those of local memory.
import re, sys
kernel, found = None, {}
for line in sys.stdin:
    section = re.match(r'\s*\.section\s+\.text\.([^,\s]+)', line)
    if section: kernel = section.group(1); found[kernel] = []
    elif re.match(r'\s*\.section\s', line): kernel = None
    elif kernel:
        at = re.match(r'\s*/\*[0-9a-f]{4,}\*/\s+(?:@!?U?P\d+\s+)?([A-Z][A-Z0-9_.]*)', line)
        if at: found[kernel].append(at.group(1))
for kernel, names in sorted(found.items()):
    while names and names[-1].startswith('NOP'): names.pop()
    print(sys.argv[1], kernel, len(names), sum(name.split('.')[0] in ('LDL', 'STL') for name in names))
