// The answers of two servers held against each other: every question of every read route of the OpenAPI document, byte by byte.
import { expect } from 'vitest'
import { materialOf, questionsOf, type Ask, type Questions } from './engines-questions.ts'

export interface Asking {
	readonly cluster: string
	/** An answer without what the two cannot say alike; everything where it is left out. */
	readonly shown?: (answer: string) => string
	/** Of the questions those that the two can be asked; all where it is left out. */
	readonly asked?: (questions: Questions) => Questions
}

export interface Compared {
	/** At most twenty of them. */
	readonly differing: readonly string[]
	/** Routes that had nothing to tell: nothing is compared there. */
	readonly silent: readonly string[]
}

interface Told {
	answers: number
	/** Answers that are neither a refusal nor an empty list. */
	filled: number
	characters: number
}

/** For all questions, on a busy machine. */
export const answersMs = 600_000
const pagesMax = 3
const differingMax = 20
/** Questions that are asked at once. */
const atOnce = 4
const shownAround = 160
const notOfTheStore = ['/livez', '/readyz', '/metrics', '/openapi.json', '/docs', '/api/v1/stream']

export const overHttp =
	(address: string): Ask =>
	async (url) => {
		const answer = await fetch(address + url)
		return `${answer.status} ${await answer.text()}`
	}

/** A cursor tells when the first page was asked for, as `now` of its question stands there. */
export const withoutMoment = (answer: string): string => answer.replaceAll(/"next":"\d+~/g, '"next":"~')
/** Two recorders see a thing at two times. */
export const withoutSighting = (answer: string): string => answer.replaceAll(/"observed":"[^"]*"/g, '"observed":""')

/** A page, and those behind it: all of them where the pages are of the largest size. */
async function pagesOf(ask: Ask, url: string): Promise<readonly string[]> {
	const answers: string[] = []
	for (let cursor: string | null = ''; cursor !== null;) {
		const answer = await ask(cursor === '' ? url : `${url}&cursor=${encodeURIComponent(cursor)}`)
		answers.push(answer)
		const { next = null } = JSON.parse(answer.slice(4)) as { next?: string | null }
		cursor = answers.length < pagesMax || url.includes('limit=1000') ? next : null
	}
	return answers
}

/** Asks both, and prints how much was compared. */
export async function compareAnswers(one: Ask, other: Ask, { cluster, shown = (answer) => answer, asked }: Asking): Promise<Compared> {
	const all = questionsOf(await materialOf(one, cluster))
	const document = JSON.parse((await one('/openapi.json')).slice(4)) as { paths: Record<string, unknown> }
	const routes = Object.keys(document.paths).filter((path) => !notOfTheStore.includes(path))
	expect(Object.keys(all).toSorted()).toEqual(routes.toSorted())
	const told: Record<string, Told> = {}
	const differing: string[] = []
	for (const [route, urls] of Object.entries(asked ? asked(all) : all)) {
		const sum: Told = (told[route] = { answers: 0, filled: 0, characters: 0 })
		const compare = async (url: string): Promise<void> => {
			const [expected, found] = await Promise.all([pagesOf(one, url), pagesOf(other, url)])
			for (const [page, answer] of expected.entries()) {
				const [a, b] = [shown(answer), shown(found[page] ?? 'nothing')]
				if (a !== b) differing.push(`${url} page ${page}: ${differenceOf(a, b)}`)
				sum.answers += 1
				sum.characters += a.length
				if (/^200 (?!\{"items":\[\])/.test(a)) sum.filled += 1
			}
			if (found.length !== expected.length) differing.push(`${url}: ${expected.length} pages and ${found.length}`)
		}
		for (let at = 0; at < urls.length; at += atOnce) await Promise.all(urls.slice(at, at + atOnce).map(compare))
	}
	console.log(reportOf(told, differing.length))
	const silent = Object.entries(told).filter(([, { filled }]) => filled === 0)
	return { differing: differing.slice(0, differingMax), silent: silent.map(([route]) => route) }
}

function reportOf(told: Readonly<Record<string, Told>>, differing: number): string {
	const total = (of: (each: Told) => number): number => Object.values(told).reduce((sum, each) => sum + of(each), 0)
	const lines = Object.entries(told).map(
		([route, { answers, filled, characters }]) => `  ${route}: ${answers} answers, ${filled} of them filled, ${characters} characters`,
	)
	const head = `${total(({ answers }) => answers)} answers of ${lines.length} routes compared, ${total(({ characters }) => characters)} characters; ${differing} differ`
	return [head, ...lines].join('\n')
}

/** Where two texts part. */
export function differenceOf(a: string, b: string): string {
	let at = 0
	while (at < a.length && a[at] === b[at]) at += 1
	const around = (text: string): string => text.slice(Math.max(0, at - shownAround), at + shownAround)
	return `at ${at} of ${a.length} and ${b.length}: …${around(a)}… and …${around(b)}…`
}
