import { InputError } from '../core/errors'
import type { Method, Mitigation, Transform } from './method'
import { roundToNearest } from './mitigations/round-to-nearest'
import { flatquant } from './transforms/flatquant'
import { identity } from './transforms/identity'
import { quarot } from './transforms/quarot'

/** Every change of basis, in menu order. */
export const TRANSFORMS: readonly Transform[] = [identity, quarot, flatquant]

/** Every way to choose codes, in menu order. */
export const MITIGATIONS: readonly Mitigation[] = [roundToNearest]

/** Every method, in menu order: a transform and a mitigation under the name of its paper. */
export const METHODS: readonly Method[] = [
  {
    id: 'rtn',
    label: 'RTN',
    kind: 'baseline',
    summary: 'Rounds weights and activations as they are.',
    transform: identity,
    mitigation: roundToNearest,
  },
  {
    id: 'quarot',
    label: 'QuaRot',
    kind: 'rotation',
    summary: 'Spreads outliers over all channels with a random Hadamard rotation, then rounds.',
    transform: quarot,
    mitigation: roundToNearest,
  },
  {
    id: 'flatquant',
    label: 'FlatQuant',
    kind: 'affine',
    summary: 'Learns a scale per channel and a small invertible map that flatten both sides, then rounds.',
    transform: flatquant,
    mitigation: roundToNearest,
  },
]

/** The method called `id`. Throws InputError MD-04 naming the valid ids. */
export function methodById(id: string): Method {
  const method = METHODS.find((candidate) => candidate.id === id)
  if (method) return method
  const known = METHODS.map((candidate) => candidate.id).join(', ')
  throw new InputError('MD-04', `method: expected one of ${known}, found "${id}".`)
}
