/**
 * The `pin` key of a link: what is pinned on the page, its parts joined by `+`. `w,12,44` or `x,12,44` is the block that is
 * open (operand, row, block), `c1415` a channel of the layer's input, `mquarot` a method; the method is last, since its id
 * may hold a `+`.
 */
import type { Operand } from '../experiment/tensor-blocks'
import { decodePart, optionalWhole } from './link-text'

export interface BlockPin {
  readonly operand: Operand
  readonly row: number
  readonly block: number
}

export interface Pins {
  readonly block: BlockPin
  readonly channel: number | null
  /** Id of a method. */
  readonly method: string | null
}

/** Left out of links. */
export const DEFAULT_PIN: BlockPin = { operand: 'weight', row: 0, block: 0 }
export const DEFAULT_PINS: Pins = { block: DEFAULT_PIN, channel: null, method: null }

const LETTERS = { weight: 'w', activations: 'x' } as const

function formatBlock({ operand, row, block }: BlockPin): string {
  return `${LETTERS[operand]},${row},${block}`
}

/** What is pinned; empty when nothing is but the first block of W. */
export function formatPins({ block, channel, method }: Pins): string {
  const place = formatBlock(block)
  return [
    ...(place === formatBlock(DEFAULT_PIN) ? [] : [place]),
    ...(channel === null ? [] : [`c${channel}`]),
    ...(method === null ? [] : [`m${method}`]),
  ].join('+')
}

function parseBlock(text: string): BlockPin | null {
  const [letter, ...numbers] = text.split(',')
  const operand = letter === LETTERS.weight ? 'weight' : letter === LETTERS.activations ? 'activations' : null
  const [row, block] = numbers.map((number) => optionalWhole(number, Number.MAX_SAFE_INTEGER))
  if (operand === null || numbers.length !== 2 || row === null || block === null) return null
  return { operand, row, block }
}

function parsePart(part: string, methods: readonly string[]): Partial<Pins> | null {
  if (part.startsWith('m')) {
    const method = decodePart(part.slice(1))
    return methods.includes(method) ? { method } : null
  }
  if (part.startsWith('c')) {
    const channel = optionalWhole(part.slice(1), Number.MAX_SAFE_INTEGER)
    return channel === null ? null : { channel }
  }
  const block = parseBlock(part)
  return block && { block }
}

/** Parts that say nothing known are rejected. What lies beyond the layer is for the page to keep within it. */
export function parsePins(text: string, methods: readonly string[], reject: () => void): Pins {
  const [, others, method] = /^(.*?)(?:(?:^|\+)(m.*))?$/s.exec(text) ?? []
  let pins = DEFAULT_PINS
  for (const part of [...(others ? others.split('+') : []), ...(method ? [method] : [])]) {
    const change = parsePart(part, methods)
    if (change === null) reject()
    else pins = { ...pins, ...change }
  }
  return pins
}
