// A thread that waits for the next append to a log file, far longer than a test may take.
import { parentPort, workerData } from 'node:worker_threads'
import { Wakers } from '#storage/log/sqlite/wakers.ts'

const say = (message: string): void => parentPort?.postMessage(message, [])
const wakers = new Wakers(workerData as string)
const waiting = wakers.wait(3_600_000, new AbortController().signal)
say('waits')
await waiting
say('woken')
wakers.close()
