// How large V8 may let the heaps of this process grow before it collects them.
import { setFlagsFromString } from 'node:v8'

/** How far a heap may grow over what was alive in it: V8's own choice is several times as much. */
const heapGrowingPercent = 60

/** For a process of which several share one machine, or whose roles share one process: it then takes a fraction of the memory for a few percent of its time. */
export function keepHeapsSmall(): void {
	setFlagsFromString(`--heap-growing-percent=${heapGrowingPercent}`)
}
