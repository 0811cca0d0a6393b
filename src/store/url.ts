/**
 * The link format: everything that describes a comparison, as `key=value&…` in the fragment of the address. Readable,
 * ordered, defaults left out, unknown keys kept. Pure; the address bar itself is address-bar.ts.
 */
import { AS_LOADED } from '../experiment/settings'
import { decodePart, encodePart, optionalWhole, splitTop, within } from './link-text'
import { formatMethods, parseMethods } from './method-link'
import type { SetupSlice, SurfaceShape, SyntheticControls, Theme } from './state'
import { DEFAULT_VIEW, VIEWS, type ViewId } from './views'
import {
  DEFAULT_CONTROLS,
  DEFAULT_HELD_OUT,
  defaultSetup,
  isScaleRule,
  MAX_HELD_OUT,
  MAX_SEED,
  type Vocabulary,
} from './vocabulary'

/** Where a layer came from: a built-in layer, or a file of the user's named so that it can be recognised. */
export type LinkSource =
  | { readonly kind: 'demo'; readonly id: string }
  | { readonly kind: 'file'; readonly name: string; readonly byteLength: number; readonly headerHash: string }

export type LinkActivations =
  | { readonly kind: 'captured'; readonly tensor: string }
  | ({ readonly kind: 'synthetic' } & SyntheticControls)

/** All that a link says. `weight` and `activations` are null where the page's own choice stands. */
export interface LinkState {
  readonly sources: readonly LinkSource[]
  readonly weight: string | null
  readonly activations: LinkActivations | null
  readonly setup: SetupSlice
  readonly heldOutShare: number
  /** First this many rows of captured activations; null: all. */
  readonly tokens: number | null
  readonly view: ViewId
  readonly surface: SurfaceShape
  readonly theme: Theme
  /** Keys this version does not know, with their undecoded values, in order. */
  readonly unknown: readonly (readonly [string, string])[]
}

const VERSION = '1'
const CUSTOM = 'custom'
const NO_SOURCE = 'none'
const KNOWN_KEYS = [
  'v',
  'src',
  'w',
  'a',
  'set',
  'wf',
  'af',
  'rule',
  'tie',
  'pre',
  'seed',
  'eval',
  'rows',
  'm',
  'view',
  'ax',
  'th',
]
const TIE_WORDS = { 'half-even': 'even', 'half-away': 'away', 'toward-zero': 'zero' } as const

function formatSource(source: LinkSource): string {
  if (source.kind === 'demo') return `demo:${encodePart(source.id)}`
  return `file:${encodePart(source.name)},${source.byteLength},${source.headerHash}`
}

function parseSource(text: string): LinkSource[] {
  const [kind, rest] = splitFirst(text, ':')
  if (kind === 'demo') return [{ kind: 'demo', id: decodePart(rest) }]
  const [name, bytes, headerHash] = rest.split(',')
  const byteLength = optionalWhole(bytes, Number.MAX_SAFE_INTEGER)
  if (kind !== 'file' || !name || byteLength === null || !/^[0-9a-f]*$/.test(headerHash ?? '')) return []
  return [{ kind: 'file', name: decodePart(name), byteLength, headerHash: headerHash ?? '' }]
}

function splitFirst(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator)
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}

const formatSources = (sources: readonly LinkSource[]) => sources.map(formatSource).join('+') || NO_SOURCE
const firstBuiltIn = ({ builtIns }: Vocabulary): LinkSource[] =>
  builtIns.length > 0 ? [{ kind: 'demo', id: builtIns[0].id }] : []

function formatActivations(activations: LinkActivations): string {
  if (activations.kind === 'captured') return `file:${encodePart(activations.tensor)}`
  return `syn,t${activations.tokens},o${activations.outlierChannels}x${activations.outlierGain}`
}

function parseActivations(text: string | undefined): LinkActivations | null {
  if (text === undefined) return null
  if (text.startsWith('file:')) return { kind: 'captured', tensor: decodePart(text.slice(5)) }
  const match = /^syn(?:,t(\d+))?(?:,o(\d+)x(\d+(?:\.\d+)?))?$/.exec(text)
  if (!match) return null
  const [tokens, channels, gain] = match.slice(1).map((part) => (part === undefined ? null : Number(part)))
  return {
    kind: 'synthetic',
    tokens: within(tokens, 32, 8192) ?? DEFAULT_CONTROLS.tokens,
    outlierChannels: within(channels, 0, 65_536) ?? DEFAULT_CONTROLS.outlierChannels,
    outlierGain: within(gain, 1, 1000) ?? DEFAULT_CONTROLS.outlierGain,
  }
}

/** The fragment of `state`, without '#'. Empty for a first visit. */
export function formatLink(state: LinkState, vocabulary: Vocabulary): string {
  const { setup } = state
  const standard = defaultSetup(vocabulary)
  const preset = vocabulary.settings.some(({ id }) => id === setup.setting.id)
  const sources = formatSources(state.sources)
  const methods = formatMethods(setup.methods)
  const pairs: (readonly [string, string])[] = []
  const add = (key: string, value: string, isDefault: boolean) => {
    if (!isDefault) pairs.push([key, value])
  }
  add('src', sources, sources === formatSources(firstBuiltIn(vocabulary)))
  if (state.weight !== null) add('w', encodePart(state.weight), false)
  if (state.activations !== null) add('a', formatActivations(state.activations), false)
  add('set', preset ? setup.setting.id.toLowerCase() : CUSTOM, setup.setting.id === standard.setting.id)
  add('wf', setup.setting.weightFormat ?? AS_LOADED, preset)
  add('af', setup.setting.activationFormat ?? AS_LOADED, preset)
  add('rule', setup.scaleRule, setup.scaleRule === standard.scaleRule)
  add('tie', TIE_WORDS[setup.rounding], setup.rounding === standard.rounding)
  add('pre', '0', setup.preScale)
  add('seed', String(setup.seed), setup.seed === standard.seed)
  add('eval', String(state.heldOutShare), state.heldOutShare === DEFAULT_HELD_OUT)
  if (state.tokens !== null) add('rows', String(state.tokens), false)
  add('m', methods, methods === formatMethods(standard.methods))
  add('view', state.view, state.view === DEFAULT_VIEW)
  add('ax', state.surface, state.surface === 'map')
  add('th', state.theme, state.theme === 'auto')
  pairs.push(...state.unknown)
  if (pairs.length === 0) return ''
  return [['v', VERSION], ...pairs].map(([key, value]) => `${key}=${value}`).join('&')
}

/** What a fragment says, with the page's defaults for all it does not say or says wrongly. Never throws. */
export function parseLink(fragment: string, vocabulary: Vocabulary): LinkState {
  const pairs = fragment
    .replace(/^#/, '')
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => splitFirst(pair, '='))
  const known = new Map(pairs.filter(([key]) => KNOWN_KEYS.includes(key)))
  const standard = defaultSetup(vocabulary)
  const src = known.get('src')
  const sources = src === undefined ? firstBuiltIn(vocabulary) : splitTop(src, '+').flatMap(parseSource)
  const tie = Object.entries(TIE_WORDS).find(([, word]) => word === known.get('tie'))
  const rule = known.get('rule') ?? ''
  const weight = known.get('w')
  const held = known.get('eval')
  const theme = known.get('th')
  return {
    sources,
    weight: weight === undefined ? null : decodePart(weight),
    activations: parseActivations(known.get('a')),
    setup: {
      setting: parseLinkSetting(known, vocabulary),
      scaleRule: isScaleRule(rule) ? rule : standard.scaleRule,
      rounding: tie ? (tie[0] as keyof typeof TIE_WORDS) : standard.rounding,
      preScale: known.get('pre') !== '0',
      seed: optionalWhole(known.get('seed'), MAX_SEED) ?? standard.seed,
      methods: parseMethods(known.get('m'), vocabulary.methods) ?? standard.methods,
    },
    heldOutShare: (held ? within(Number(held), 0, MAX_HELD_OUT) : null) ?? DEFAULT_HELD_OUT,
    tokens: within(optionalWhole(known.get('rows'), 2 ** 31), 1, 2 ** 31),
    view: VIEWS.find(({ id }) => id === known.get('view'))?.id ?? DEFAULT_VIEW,
    surface: known.get('ax') === '3d' ? '3d' : 'map',
    theme: theme === 'light' || theme === 'dark' ? theme : 'auto',
    unknown: pairs.filter(([key]) => !KNOWN_KEYS.includes(key)),
  }
}

function parseLinkSetting(known: ReadonlyMap<string, string>, vocabulary: Vocabulary): SetupSlice['setting'] {
  const standard = defaultSetup(vocabulary).setting
  const name = known.get('set')
  if (name !== CUSTOM) return vocabulary.settings.find(({ id }) => id.toLowerCase() === name) ?? standard
  const side = (key: string, fallback: string | null) => {
    const text = known.get(key)
    if (text === AS_LOADED) return null
    return vocabulary.formats.find(({ id }) => id === text)?.id ?? fallback
  }
  return settingOf(side('wf', standard.weightFormat), side('af', standard.activationFormat), vocabulary)
}

/** The setting of a pair of formats, under its name where it has one; null leaves that side as loaded. */
export function settingOf(
  weightFormat: string | null,
  activationFormat: string | null,
  vocabulary: Pick<Vocabulary, 'settings'>,
): SetupSlice['setting'] {
  const named = vocabulary.settings.find(
    (setting) => setting.weightFormat === weightFormat && setting.activationFormat === activationFormat,
  )
  return (
    named ?? { id: `${weightFormat ?? AS_LOADED}/${activationFormat ?? AS_LOADED}`, weightFormat, activationFormat }
  )
}
