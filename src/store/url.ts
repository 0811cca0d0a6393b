/**
 * The link format: everything that describes a comparison, as `key=value&…` in the fragment of the address. Readable,
 * ordered, defaults left out, unknown keys kept. Pure; the address bar itself is address-bar.ts.
 */
import { splitTop } from '../core/split-top'
import { AS_LOADED, settingOf } from '../experiment/settings'
import { MAX_HELD_OUT_SHARE } from '../experiment/split-rows'
import { BLOCK_SIZES, PRE_SCALE_MAX, PRE_SCALE_MIN, ROUNDINGS } from '../formats/number-format'
import { formatActivations, type LinkActivations, parseActivations } from './activation-link'
import { DEFAULT_PINS, formatPins, type Pins, parsePins } from './block-pin'
import { DEFAULT_LOOK, type Figure5Look } from './figure5'
import { formatLook, parseLook } from './figure5-link'
import { fileNameOf } from './file-name'
import { DEFAULT_FORMATS, type FormatsSlice } from './formats-view'
import { decodePart, encodePart, optionalWhole, parseFormatText, within } from './link-text'
import { formatMethods, parseMethods } from './method-link'
import { formatStudy, parseStudy } from './rotation-link'
import { DEFAULT_ROTATION_CONTROLS, type RotationControls, rotationChoices } from './rotation-view'
import type { PreScaleSetup, SetupSlice, SurfaceShape, Theme, TileAxes } from './state'
import { isSweepParameter } from './sweeps'
import {
  type ComparedFormats,
  formatCompared,
  formatLine,
  formatLineRows,
  parseCompared,
  parseLine,
  parseLineRows,
  parseTriedPreScale,
} from './view-link'
import { DEFAULT_VIEW, VIEWS, type ViewId } from './views'
import {
  BASELINE,
  DEFAULT_HELD_OUT,
  DEFAULT_PRE_SCALE,
  defaultSetup,
  isScaleRule,
  MAX_SEED,
  type Vocabulary,
} from './vocabulary'

/** Where a layer came from: a built-in layer, or a file of the user's named so that it can be recognised. */
export type LinkSource =
  | { readonly kind: 'demo'; readonly id: string }
  | {
      readonly kind: 'file'
      readonly name: string
      readonly byteLength: number
      readonly headerHash: string
      /** Where it was read from; null for a file of the user's device. */
      readonly url: string | null
    }

/** All that a link says. `weight` and `activations` are null where the page's own choice stands. */
export interface LinkState {
  readonly sources: readonly LinkSource[]
  readonly weight: string | null
  readonly activations: LinkActivations | null
  readonly setup: SetupSlice
  readonly heldOutShare: number
  /** Rows of captured activations before the first that is used. */
  readonly firstToken: number
  /** How many from there on; null: all. */
  readonly tokens: number | null
  readonly view: ViewId
  /** The parameter of the Sweeps view; null: the first there is. */
  readonly sweep: string | null
  /** What the Figure 5 view is set to. */
  readonly figure5: Figure5Look
  /** What the Rotation view is set to. */
  readonly rotation: RotationControls
  readonly surface: SurfaceShape
  /** Of the tiles of the Distribution view. */
  readonly axes: TileAxes
  /** The block that is open in the Blocks view, and the channel and the method that are pinned everywhere. */
  readonly pins: Pins
  /** Id of the method that differences are taken against. */
  readonly baseline: string
  /** What the open block is shown under. */
  readonly compared: ComparedFormats
  /** The number line of the Formats view. */
  readonly formats: FormatsSlice
  readonly theme: Theme
  /** The entry of the glossary that is open, known or not; GLOSSARY for its beginning; null: it is closed. */
  readonly help: string | null
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
  'of',
  'rule',
  'tie',
  'pre',
  'bs',
  'hd',
  'seed',
  'eval',
  'rows',
  'm',
  'view',
  'f5',
  'ro',
  'rr',
  'sw',
  'pin',
  'base',
  'bf',
  'bp',
  'fx',
  'fl',
  'ax',
  'th',
  'help',
]
/** Calibration and evaluation need a row each. */
export const MIN_ROWS = 2
/** Far beyond any head. Whether one divides the output is for the engine to say (SE-02). */
const MAX_HEAD_DIM = 65_536
const ALL_ROWS: Pick<LinkState, 'firstToken' | 'tokens'> = { firstToken: 0, tokens: null }
const MAX_ROWS = 2 ** 31
type TileLook = Pick<LinkState, 'surface' | 'axes'>
const DEFAULT_TILES: TileLook = { surface: 'map', axes: 'shared' }
const TILE_WORDS = ['map', '3d', 'shared', 'own']
/** Ids of entries: the glossary itself is loaded when it is opened, and says there what it does not have. */
const HELP_ID = /^[A-Za-z0-9_+.-]{1,60}$/
const THEMES: readonly Theme[] = ['auto', 'light', 'dark']
const TIE_WORDS = { 'half-even': 'even', 'half-away': 'away', 'toward-zero': 'zero' } as const

function formatSource(source: LinkSource): string {
  if (source.kind === 'demo') return `demo:${encodePart(source.id)}`
  const { url, name, byteLength, headerHash } = source
  return url === null ? `file:${encodePart(name)},${byteLength},${headerHash}` : `url:${encodePart(url)},${byteLength}`
}

function parseSource(text: string): LinkSource[] {
  const [kind, rest] = splitFirst(text, ':')
  if (kind === 'demo') return [{ kind: 'demo', id: decodePart(rest) }]
  const [name, bytes, headerHash] = rest.split(',')
  const byteLength = optionalWhole(bytes, Number.MAX_SAFE_INTEGER)
  if (!name || byteLength === null || !/^[0-9a-f]*$/.test(headerHash ?? '')) return []
  const decoded = decodePart(name)
  if (kind === 'file') return [{ kind, name: decoded, byteLength, headerHash: headerHash ?? '', url: null }]
  if (kind !== 'url' || !/^https?:\/\//.test(decoded) || !URL.canParse(decoded)) return []
  return [{ kind: 'file', name: fileNameOf(decoded), byteLength, headerHash: '', url: decoded }]
}

function splitFirst(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator)
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}

const formatSources = (sources: readonly LinkSource[]) => sources.map(formatSource).join('+') || NO_SOURCE
const firstBuiltIn = ({ builtIns }: Vocabulary): LinkSource[] =>
  builtIns.length > 0 ? [{ kind: 'demo', id: builtIns[0].id }] : []

/** `0` is off, `0.8` the factor, `0.8l` in the literal variant; `0,0.8l` is off with what it takes when switched on. */
function formatPreScale({ on, factor, variant }: PreScaleSetup): string {
  const text = `${factor}${variant === 'literal' ? 'l' : ''}`
  if (on) return text
  return factor === DEFAULT_PRE_SCALE.factor && variant === DEFAULT_PRE_SCALE.variant ? '0' : `0,${text}`
}

function parsePreScale(text: string): PreScaleSetup | null {
  if (text === '0') return { ...DEFAULT_PRE_SCALE, on: false }
  const [, off, number, literal] = /^(0,)?(\d(?:\.\d+)?)(l)?$/.exec(text) ?? []
  const factor = number === undefined ? null : within(Number(number), PRE_SCALE_MIN, PRE_SCALE_MAX)
  return factor === null ? null : { on: off === undefined, factor, variant: literal ? 'literal' : 'exact' }
}

/** `256` are the first rows, `64-256` those from 64 up to and without 256, `64-` all from 64 on. */
function formatRows({ firstToken, tokens }: Pick<LinkState, 'firstToken' | 'tokens'>): string {
  if (firstToken === 0) return tokens === null ? '' : String(tokens)
  return `${firstToken}-${tokens === null ? '' : firstToken + tokens}`
}

function parseRows(text: string): Pick<LinkState, 'firstToken' | 'tokens'> | null {
  const [, start, dash, end] = /^(\d+)(-)?(\d+)?$/.exec(text) ?? []
  const first = dash === undefined ? 0 : optionalWhole(start, MAX_ROWS)
  const last =
    dash === undefined ? optionalWhole(start, MAX_ROWS) : end === undefined ? null : optionalWhole(end, MAX_ROWS)
  if (start === undefined || first === null || (last === null && dash === undefined)) return null
  if (last === null) return end === undefined ? { firstToken: first, tokens: null } : null
  return last - first >= MIN_ROWS ? { firstToken: first, tokens: last - first } : null
}

/** What differs from the defaults: `3d,own`; empty when nothing does. */
const formatTiles = ({ surface, axes }: TileLook) =>
  [...(surface === '3d' ? ['3d'] : []), ...(axes === 'own' ? ['own'] : [])].join(',')

/** Parts that say nothing known are rejected and left at their defaults. */
function parseTiles(text: string, reject: () => void): TileLook {
  const parts = text.split(',')
  if (parts.some((part) => !TILE_WORDS.includes(part))) reject()
  return { surface: parts.includes('3d') ? '3d' : 'map', axes: parts.includes('own') ? 'own' : 'shared' }
}

const namedSettings = ({ settings, kvSettings }: Vocabulary) => [...settings, ...kvSettings]

/** The fragment of `state`, without '#'. Empty for a first visit. */
export function formatLink(state: LinkState, vocabulary: Vocabulary): string {
  const { setup, compared, formats, figure5, rotation } = state
  const standard = defaultSetup(vocabulary)
  const preset = namedSettings(vocabulary).some(({ id }) => id === setup.setting.id)
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
  if (setup.setting.outputFormat !== null) add('of', setup.setting.outputFormat, preset)
  add('rule', setup.scaleRule, setup.scaleRule === standard.scaleRule)
  add('tie', TIE_WORDS[setup.rounding], setup.rounding === standard.rounding)
  add('pre', formatPreScale(setup.preScale), formatPreScale(setup.preScale) === formatPreScale(standard.preScale))
  add('bs', String(setup.blockSize), setup.blockSize === standard.blockSize)
  if (setup.headDim !== null) add('hd', String(setup.headDim), false)
  add('seed', String(setup.seed), setup.seed === standard.seed)
  add('eval', String(state.heldOutShare), state.heldOutShare === DEFAULT_HELD_OUT)
  const rows = formatRows(state)
  add('rows', rows, rows === '')
  add('m', methods, methods === formatMethods(standard.methods))
  add('view', state.view, state.view === DEFAULT_VIEW)
  add('f5', formatLook(figure5), formatLook(figure5) === '')
  add('ro', formatStudy(rotation), formatStudy(rotation) === '')
  add('rr', rotation.rotation, rotation.rotation === DEFAULT_ROTATION_CONTROLS.rotation)
  if (state.sweep !== null) add('sw', state.sweep, false)
  add('pin', formatPins(state.pins), formatPins(state.pins) === '')
  add('base', state.baseline, state.baseline === BASELINE)
  add('bf', formatCompared(compared.formats), formatCompared(compared.formats) === '')
  if (compared.preScale !== null) add('bp', String(compared.preScale), false)
  add('fx', formatLineRows(formats.rows), formatLineRows(formats.rows) === formatLineRows(DEFAULT_FORMATS.rows))
  add('fl', formatLine(formats), formatLine(formats) === '')
  add('ax', formatTiles(state), formatTiles(state) === '')
  add('th', state.theme, state.theme === 'auto')
  if (state.help !== null) add('help', state.help, false)
  pairs.push(...state.unknown)
  if (pairs.length === 0) return ''
  return [['v', VERSION], ...pairs].map(([key, value]) => `${key}=${value}`).join('&')
}

/** A link, and the keys of it that are unknown or hold values that do not exist here, in its own order. */
export interface ReadLink {
  readonly link: LinkState
  readonly ignored: readonly string[]
}

/** What a fragment says, with the page's defaults for all it does not say or says wrongly. Never throws. */
export function readLink(fragment: string, vocabulary: Vocabulary): ReadLink {
  const pairs = fragment
    .replace(/^#/, '')
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => splitFirst(pair, '='))
  const known = new Map(pairs.filter(([key]) => KNOWN_KEYS.includes(key)))
  const rejected = new Set<string>()
  /** What `parse` makes of the value of `key`; `fallback` where the link has no such key or no usable value. */
  const read: ReadKey = (key, parse, fallback) => {
    const text = known.get(key)
    const value = text === undefined ? fallback : parse(text, () => rejected.add(key))
    if (value === null && text !== undefined) rejected.add(key)
    return value ?? fallback
  }
  const methodIds = vocabulary.methods.map(({ id }) => id)
  read('v', (text) => (text === VERSION ? text : null), VERSION)
  const link: LinkState = {
    sources: read('src', (text, reject) => parseSources(text, vocabulary, reject), firstBuiltIn(vocabulary)),
    weight: read('w', decodePart, null),
    activations: read('a', parseActivations, null),
    setup: readSetup(read, vocabulary),
    heldOutShare: read(
      'eval',
      (text) => (text === '' ? null : within(Number(text), 0, MAX_HELD_OUT_SHARE)),
      DEFAULT_HELD_OUT,
    ),
    ...read('rows', parseRows, ALL_ROWS),
    view: read('view', (text) => VIEWS.find(({ id }) => id === text)?.id ?? null, DEFAULT_VIEW),
    figure5: read('f5', parseLook, DEFAULT_LOOK),
    rotation: {
      ...read('ro', parseStudy, DEFAULT_ROTATION_CONTROLS),
      rotation: read(
        'rr',
        (text) => rotationChoices(vocabulary).find(({ id }) => id === text)?.id ?? null,
        DEFAULT_ROTATION_CONTROLS.rotation,
      ),
    },
    sweep: read('sw', (text) => (isSweepParameter(text, vocabulary) ? text : null), null),
    pins: read('pin', (text, reject) => parsePins(text, methodIds, reject), DEFAULT_PINS),
    baseline: read('base', (text) => (methodIds.includes(text) ? text : null), BASELINE),
    compared: { formats: read('bf', parseCompared, [null, null]), preScale: read('bp', parseTriedPreScale, null) },
    formats: { ...read('fl', parseLine, DEFAULT_FORMATS), rows: read('fx', parseLineRows, DEFAULT_FORMATS.rows) },
    ...read('ax', parseTiles, DEFAULT_TILES),
    theme: read('th', (text) => THEMES.find((theme) => theme === text) ?? null, 'auto'),
    help: read('help', (text) => (HELP_ID.test(text) ? text : null), null),
    unknown: pairs.filter(([key]) => !KNOWN_KEYS.includes(key)),
  }
  const keys = pairs.map(([key]) => key).filter((key) => rejected.has(key) || !KNOWN_KEYS.includes(key))
  return { link, ignored: [...new Set(keys)] }
}

/** The link alone, for those who do not ask what was ignored. */
export function parseLink(fragment: string, vocabulary: Vocabulary): LinkState {
  return readLink(fragment, vocabulary).link
}

/** `parse` gives null for a value that cannot be used at all, and calls `reject` for one that can be used in part. */
type ReadKey = <T, F extends T | null>(
  key: string,
  parse: (text: string, reject: () => void) => T | null,
  fallback: F,
) => T | F

/** The sources a link names. A layer this page does not have stays in the link and is rejected. */
function parseSources(text: string, { builtIns }: Vocabulary, reject: () => void): readonly LinkSource[] {
  if (text === NO_SOURCE) return []
  const parts = splitTop(text, '+').map(parseSource)
  const missing = (source: LinkSource) => source.kind === 'demo' && !builtIns.some(({ id }) => id === source.id)
  if (parts.length === 0 || parts.some((sources) => sources.length === 0 || sources.some(missing))) reject()
  return parts.flat()
}

function readSetup(read: ReadKey, vocabulary: Vocabulary): SetupSlice {
  const standard = defaultSetup(vocabulary)
  return {
    setting: readSetting(read, vocabulary),
    scaleRule: read('rule', (text) => (isScaleRule(text) ? text : null), standard.scaleRule),
    rounding: read(
      'tie',
      (text) => ROUNDINGS.find((rounding) => TIE_WORDS[rounding] === text) ?? null,
      standard.rounding,
    ),
    preScale: read('pre', parsePreScale, standard.preScale),
    blockSize: read('bs', (text) => BLOCK_SIZES.find((size) => String(size) === text) ?? null, standard.blockSize),
    headDim: read('hd', (text) => within(optionalWhole(text, MAX_HEAD_DIM), 1, MAX_HEAD_DIM), standard.headDim),
    seed: read('seed', (text) => optionalWhole(text, MAX_SEED), standard.seed),
    methods: read(
      'm',
      (text, reject) => {
        const parsed = parseMethods(text, vocabulary.methods)
        if (parsed?.clean === false) reject()
        return parsed?.methods ?? null
      },
      standard.methods,
    ),
  }
}

function readSetting(read: ReadKey, vocabulary: Vocabulary): SetupSlice['setting'] {
  const standard = defaultSetup(vocabulary).setting
  const named = read(
    'set',
    (text) =>
      text === CUSTOM ? CUSTOM : (namedSettings(vocabulary).find(({ id }) => id.toLowerCase() === text) ?? null),
    standard,
  )
  if (named !== CUSTOM) return named
  const side = (key: string, fallback: string | null) => {
    const format = read(key, (text) => (text === AS_LOADED ? text : parseFormatText(text)), fallback)
    return format === AS_LOADED ? null : format
  }
  return settingOf({
    weightFormat: side('wf', standard.weightFormat),
    activationFormat: side('af', standard.activationFormat),
    outputFormat: side('of', null),
  })
}
