/** The layer part of the Rotation view: what is asked of the engine for it, and what it shows. */
import type { ErrorReport } from '../core/errors'
import { ROTATION_SEEDS } from '../experiment/findings/needs'
import type { RotationCauses, RotationQuery } from '../experiment/rotation-causes'
import { mxChoices } from './mx-choices'
import { askedHeadDim, layerKey } from './result-keys'
import { DEFAULT_ROTATION_CONTROLS, LEARNED_ROTATION_METHODS } from './rotation-view'
import type { AppState } from './state'
import type { Vocabulary } from './vocabulary'

/** Formats compared on the layer whatever its setting is, each for weights and activations. */
export const PAIR_FORMATS: readonly string[] = ['mxfp4', 'int4']

type Names = Pick<Vocabulary, 'builtIns'>

/** One question about the loaded layer, and the key of its answer. */
export interface WantedCauses {
  readonly key: string
  readonly query: RotationQuery
}

/** Learned rotations are fitted only on request: that takes long. */
export const isLearned = (id: string): boolean => LEARNED_ROTATION_METHODS.includes(id)

/** Rotations without a random choice: every seed gives the same. */
const FIXED: readonly string[] = ['block-hadamard']

/** Whether another seed gives another rotation. */
export const isRandom = (id: string): boolean => !FIXED.includes(id)

const seedsOf = (id: string) => (isLearned(id) || !isRandom(id) ? 1 : ROTATION_SEEDS)

type Formats = Pick<RotationQuery, 'weightFormat' | 'activationFormat'>

/** One question per seed, the seed of the setup first; none without a layer or a device, or where nothing is rounded. */
function questions(state: AppState, { builtIns }: Names, id: string, formats: Formats): readonly WantedCauses[] {
  const layer = layerKey(state)
  const { source, device, setup } = state
  if (layer === null || device.status !== 'ready' || source.pendingLink !== null || source.restoring) return []
  if (formats.weightFormat === null && formats.activationFormat === null) return []
  const options = setup.methods.find((method) => method.id === id)?.options ?? {}
  return Array.from({ length: seedsOf(id) }, (_, i) => {
    const query = {
      ...mxChoices(setup),
      ...formats,
      method: { id, options },
      seed: (setup.seed + i) % 2 ** 32,
      headDim: askedHeadDim(state, builtIns),
    }
    return { key: JSON.stringify([layer, query]), query }
  })
}

/** What the layer part asks about the formats of the setting. */
export function wantedCauses(state: AppState, names: Names): readonly WantedCauses[] {
  const { weightFormat, activationFormat } = state.setup.setting
  return questions(state, names, state.rotation.controls.rotation, { weightFormat, activationFormat })
}

/** The rotation of the pair: the one explained, QuaRot in the place of one that would have to be trained. */
export const pairRotation = ({ rotation: { controls } }: AppState): string =>
  isLearned(controls.rotation) ? DEFAULT_ROTATION_CONTROLS.rotation : controls.rotation

/** The same about one of PAIR_FORMATS in the place of the setting's. */
export function wantedOfPair(state: AppState, names: Names, format: string): readonly WantedCauses[] {
  return questions(state, names, pairRotation(state), { weightFormat: format, activationFormat: format })
}

/** All that is asked without a word, in this order: what is on screen first. */
export function wantedAtOnce(state: AppState, names: Names): readonly WantedCauses[] {
  const own = isLearned(state.rotation.controls.rotation) ? [] : wantedCauses(state, names)
  if (wantedCauses(state, names).length === 0) return []
  return [...own, ...PAIR_FORMATS.flatMap((format) => wantedOfPair(state, names, format))]
}

/** Error after rotation over error before it, of the questions answered so far, and how many there are. */
export interface SeedRatios {
  readonly ratios: readonly number[]
  readonly seeds: number
}

function seedRatios({ rotation }: AppState, wanted: readonly WantedCauses[]): SeedRatios {
  const ratios = wanted.flatMap(({ key }) => {
    const asked = rotation.causes[key]
    return asked?.kind === 'ready' ? [asked.value.after.measured / asked.value.before.measured] : []
  })
  return { ratios, seeds: wanted.length }
}

/** What the layer part shows. */
export interface CausesModel extends SeedRatios {
  /** Of the first seed. */
  readonly causes: RotationCauses | null
  readonly error: ErrorReport | null
}

export function causesModel(state: AppState, names: Names): CausesModel {
  const wanted = wantedCauses(state, names)
  const asked = wanted.map(({ key }) => state.rotation.causes[key])
  const [first] = asked
  return {
    ...seedRatios(state, wanted),
    causes: first?.kind === 'ready' ? first.value : null,
    error: asked.flatMap((each) => (each?.kind === 'failed' ? [each.error] : []))[0] ?? null,
  }
}

/** What one format of the pair shows; flat, `ratios` aside. */
export function pairModel(
  state: AppState,
  names: Names,
  format: string,
): SeedRatios & { readonly error: string | null } {
  const wanted = wantedOfPair(state, names, format)
  const failed = wanted.map(({ key }) => state.rotation.causes[key]).find((asked) => asked?.kind === 'failed')
  return { ...seedRatios(state, wanted), error: failed?.kind === 'failed' ? failed.error.message : null }
}

/** Something about the layer is being measured or trained. */
export const isExplaining = ({ training, causes }: AppState['rotation']): boolean =>
  training !== null || Object.values(causes).some(({ kind }) => kind === 'loading')
