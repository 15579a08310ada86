// Work that goes on together: so much and no more, in order, and nothing behind what failed.
import { expect, it } from 'vitest'
import { createPipe } from '#processors/index/pipe.ts'

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

function works() {
	const order: string[] = []
	const ends = new Map<string, PromiseWithResolvers<void>>()
	const work = (name: string) => async (before: Promise<void>) => {
		order.push(`${name} begins`)
		const end = Promise.withResolvers<void>()
		ends.set(name, end)
		await end.promise
		order.push(`${name} is stored`)
		await before
		order.push(`${name} is done`)
	}
	return { order, work, end: (name: string) => ends.get(name)?.resolve(), fail: (name: string) => ends.get(name)?.reject(new Error(name)) }
}

it('begins the next while one is under way, a third when there is room, and ends them in order', async () => {
	const { order, work, end } = works()
	const pipe = createPipe(2, () => undefined)
	await pipe.begin(work('a'))
	await pipe.begin(work('b'))
	const third = pipe.begin(work('c'))
	end('b')
	await settle()
	expect(order).toEqual(['a begins', 'b begins', 'b is stored'])
	end('a')
	await third
	end('c')
	await pipe.done()
	expect(order.slice(3)).toEqual(['a is stored', 'a is done', 'b is done', 'c begins', 'c is stored', 'c is done'])
})

it('does nothing behind what failed, and tells it once all has ended', async () => {
	const { order, work, end, fail } = works()
	let failures = 0
	const pipe = createPipe(2, () => (failures += 1))
	await pipe.begin(work('a'))
	await pipe.begin(work('b'))
	const third = pipe.begin(work('c'))
	const done = pipe.done()
	fail('a')
	await expect(third).rejects.toThrow('a')
	end('b')
	await expect(done).rejects.toThrow('a')
	expect(order).toEqual(['a begins', 'b begins', 'b is stored'])
	expect(failures).toBeGreaterThan(0)
})

it('lets what was begun before end where a later one failed', async () => {
	const { order, work, end, fail } = works()
	const pipe = createPipe(2, () => undefined)
	await pipe.begin(work('a'))
	await pipe.begin(work('b'))
	fail('b')
	await settle()
	const third = pipe.begin(work('c'))
	end('a')
	await expect(third).rejects.toThrow('b')
	await expect(pipe.done()).rejects.toThrow('b')
	expect(order).toEqual(['a begins', 'b begins', 'a is stored', 'a is done'])
})
