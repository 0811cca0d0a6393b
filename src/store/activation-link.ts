/** Where activations come from, in a link: `file:NAME`, `syn,…` and `norm,…` with the controls of the generator. */
import { MAX_CHANNEL_CORRELATION, TAIL_DEGREES } from '../io/synthetic'
import { decodePart, encodePart, within } from './link-text'
import type { SyntheticControls } from './state'
import { DEFAULT_CONTROLS } from './vocabulary'

export type LinkActivations =
  | { readonly kind: 'captured'; readonly tensor: string }
  | ({ readonly kind: 'synthetic' | 'norm' } & SyntheticControls)

const HEADS = { synthetic: 'syn', norm: 'norm' } as const

export function formatActivations(activations: LinkActivations): string {
  if (activations.kind === 'captured') return `file:${encodePart(activations.tensor)}`
  const { kind, tokens, outlierChannels, outlierGain, tailDegrees, correlation, massive } = activations
  return [
    HEADS[kind],
    `t${tokens}`,
    `o${outlierChannels}x${outlierGain}`,
    ...(tailDegrees === null ? [] : [`v${tailDegrees}`]),
    ...(correlation === 0 ? [] : [`c${correlation}`]),
    ...(massive === null ? [] : [`m${massive.channels}x${massive.size}`]),
  ].join(',')
}

/** Ranges of the controls by which they are offered and read. */
export const SYNTHETIC_RANGES = {
  tokens: [32, 8192],
  outlierChannels: [0, 65_536],
  outlierGain: [1, 1000],
  tailDegrees: TAIL_DEGREES,
  correlation: [0, MAX_CHANNEL_CORRELATION],
  massiveChannels: [1, 64],
  massiveSize: [10, 3000],
} as const satisfies Record<string, readonly [number, number]>

/** null for text that is none of these; `reject` is called for a part that does not exist or is out of range. */
export function parseActivations(text: string, reject: () => void): LinkActivations | null {
  if (text.startsWith('file:')) return { kind: 'captured', tensor: decodePart(text.slice(5)) }
  const [head, ...parts] = text.split(',')
  if (head !== HEADS.synthetic && head !== HEADS.norm) return null
  let controls: SyntheticControls = DEFAULT_CONTROLS
  for (const part of parts) {
    const change = parseControl(part)
    if (change === null) reject()
    controls = { ...controls, ...change }
  }
  return { kind: head === HEADS.norm ? 'norm' : 'synthetic', ...controls }
}

function parseControl(part: string): Partial<SyntheticControls> | null {
  const [, letter, first, second] = /^([tovcm])(\d+(?:\.\d+)?)(?:x(\d+(?:\.\d+)?))?$/.exec(part) ?? []
  const number = (text: string | undefined, [min, max]: readonly [number, number]) =>
    text === undefined ? null : within(Number(text), min, max)
  const whole = (text: string | undefined, range: readonly [number, number]) => {
    const value = number(text, range)
    return value !== null && Number.isInteger(value) ? value : null
  }
  const ranges = SYNTHETIC_RANGES
  if ((letter === 'o' || letter === 'm') !== (second !== undefined)) return null
  if (letter === 't') return all({ tokens: whole(first, ranges.tokens) })
  if (letter === 'v') return all({ tailDegrees: number(first, ranges.tailDegrees) })
  if (letter === 'c') return all({ correlation: number(first, ranges.correlation) })
  if (letter === 'm') {
    const massive = all({
      channels: whole(first, ranges.massiveChannels),
      size: number(second, ranges.massiveSize),
    })
    return massive && { massive }
  }
  if (letter !== 'o') return null
  return all({
    outlierChannels: whole(first, ranges.outlierChannels),
    outlierGain: number(second, ranges.outlierGain),
  })
}

/** `values` where each is there, else null. */
function all<T extends Record<string, number | null>>(values: T): { readonly [K in keyof T]: number } | null {
  const isWhole = (some: T): some is T & { readonly [K in keyof T]: number } =>
    Object.values(some).every((value) => value !== null)
  return isWhole(values) ? values : null
}
