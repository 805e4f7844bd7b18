/* Go's runtime asks bcryptprimitives.dll for random numbers; wine has that library since 8.10 or so.
   For an older one check.sh builds this and puts it into wine's system folder. It is in no archive. */
#include <windows.h>

BOOLEAN NTAPI SystemFunction036(PVOID, ULONG); /* RtlGenRandom */

__declspec(dllexport) BOOL ProcessPrng(PBYTE data, SIZE_T size)
{
	return SystemFunction036(data, size);
}
