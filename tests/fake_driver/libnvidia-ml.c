/* NVML for the fake driver: says what a healthy H200 says, and writes every change of the clocks to the file that
 * FAKE_NVML_LOG names. FAKE_NVML=forbidden refuses these changes, as it does to everybody but root.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int Return;
enum { SUCCESS = 0, NO_PERMISSION = 4, NOT_FOUND = 6 };
static int the_device;

static void note(const char *format, unsigned low, unsigned high) {
    const char *path = getenv("FAKE_NVML_LOG");
    FILE *file = path == NULL ? NULL : fopen(path, "a");
    if (file != NULL) {
        fprintf(file, format, low, high);
        fclose(file);
    }
}

Return nvmlInit_v2(void) { return SUCCESS; }
Return nvmlShutdown(void) { return SUCCESS; }
Return nvmlSystemGetDriverVersion(char *text, unsigned length) { snprintf(text, length, "580.65.06"); return SUCCESS; }
Return nvmlDeviceGetHandleByUUID(const char *uuid, void **device) {
    *device = &the_device;
    return strncmp(uuid, "GPU-11111111-", 13) == 0 ? SUCCESS : NOT_FOUND;
}
Return nvmlDeviceGetCurrentClocksThrottleReasons(void *device, unsigned long long *reasons) { (void)device; *reasons = 0; return SUCCESS; }
Return nvmlDeviceGetMaxClockInfo(void *device, int type, unsigned *mhz) { (void)device; *mhz = type == 2 ? 3201 : 1980; return SUCCESS; }
Return nvmlDeviceGetEnforcedPowerLimit(void *device, unsigned *milliwatts) { (void)device; *milliwatts = 700000; return SUCCESS; }
Return nvmlDeviceGetEccMode(void *device, int *current, int *pending) { (void)device; *current = *pending = 1; return SUCCESS; }
Return nvmlDeviceGetMigMode(void *device, unsigned *current, unsigned *pending) { (void)device; *current = *pending = 0; return SUCCESS; }
Return nvmlDeviceGetPersistenceMode(void *device, int *mode) { (void)device; *mode = 1; return SUCCESS; }
Return nvmlDeviceSetGpuLockedClocks(void *device, unsigned low, unsigned high) {
    (void)device;
    const char *planted = getenv("FAKE_NVML");
    if (planted != NULL && strcmp(planted, "forbidden") == 0) return NO_PERMISSION;
    note("lock %u %u\n", low, high);
    return SUCCESS;
}
Return nvmlDeviceResetGpuLockedClocks(void *device) {
    (void)device;
    note("reset\n", 0, 0);
    return SUCCESS;
}
