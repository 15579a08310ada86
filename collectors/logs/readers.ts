// The reader that a source's lines need.
import type { Clock } from '#runtime/clock.ts'
import type { Batch } from './batch.ts'
import { ComponentReader } from './component-reader.ts'
import type { LogsConfig } from './config.ts'
import { ContainerReader } from './container-reader.ts'
import { Groups } from './groups.ts'
import type { Reader } from './reader.ts'
import type { Source } from './sources.ts'
import { timeReader } from './time-form.ts'

export function createReader(source: Source, batch: Batch, config: LogsConfig, clock: Clock, nowMs: () => number): Reader {
	const groups = new Groups(batch, source.multiline, config.lineBytesMax, nowMs)
	return source.format === 'container'
		? new ContainerReader(batch, config.lineBytesMax, groups)
		: new ComponentReader(clock, timeReader(source.time), groups)
}
