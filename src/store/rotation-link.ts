/** The keys of a link for the Rotation view: `ro` the synthetic layer and the part on screen, `rr` the rotation explained. */
import { within } from './link-text'
import {
  CORRELATION_RANGE,
  DEFAULT_ROTATION_CONTROLS,
  DEGREES,
  LEARNED_ROTATION_METHODS,
  OUTLIER_RANGE,
  type RotationControls,
  STEPS_RANGE,
  STRENGTHS,
  WIDTHS,
} from './rotation-view'
import { MAX_SEED } from './vocabulary'

/** What `ro` says: all controls but the rotation explained, which has a key of its own. */
export type StudyControls = Omit<RotationControls, 'rotation'>

/** What differs from the defaults: `synthetic,k8,o16,a0.25,t3,w512,s7,packed,spinquant,n200`; empty when nothing does. */
export function formatStudy(study: StudyControls): string {
  const standard = DEFAULT_ROTATION_CONTROLS
  const number = (letter: string, value: number, usual: number) => (value === usual ? [] : [`${letter}${value}`])
  return [
    ...(study.part === 'synthetic' ? ['synthetic'] : []),
    ...number('k', study.strength, standard.strength),
    ...number('o', study.outlierChannels, standard.outlierChannels),
    ...number('a', study.correlation, standard.correlation),
    ...(study.degrees === null ? [] : [`t${study.degrees}`]),
    ...number('w', study.width, standard.width),
    ...number('s', study.seed, standard.seed),
    ...(study.clustered ? ['packed'] : []),
    ...study.learned,
    ...(study.steps === null ? [] : [`n${study.steps}`]),
  ].join(',')
}

function oneOf(values: readonly number[], text: string): number | null {
  return values.find((value) => String(value) === text) ?? null
}

function numberIn(text: string, { min, max }: { readonly min: number; readonly max: number }): number | null {
  return /^-?\d+(\.\d+)?$/.test(text) ? within(Number(text) + 0, min, max) : null
}

function wholeIn(text: string, max: number): number | null {
  return /^\d+$/.test(text) ? within(Number(text), 0, max) : null
}

function parsePart(part: string, study: StudyControls): Partial<StudyControls> | null {
  if (part === 'synthetic') return { part: 'synthetic' }
  if (part === 'packed') return { clustered: true }
  const learned = LEARNED_ROTATION_METHODS.find((id) => id === part)
  if (learned !== undefined) {
    return { learned: LEARNED_ROTATION_METHODS.filter((id) => id === learned || study.learned.includes(id)) }
  }
  const text = part.slice(1)
  const named = <K extends keyof StudyControls>(key: K, value: StudyControls[K] | null) =>
    value === null ? null : { [key]: value }
  switch (part[0]) {
    case 'k':
      return named('strength', oneOf(STRENGTHS, text))
    case 'o':
      return named('outlierChannels', wholeIn(text, OUTLIER_RANGE.max))
    case 'a':
      return named('correlation', numberIn(text, CORRELATION_RANGE))
    case 't':
      return named('degrees', oneOf(DEGREES, text))
    case 'w':
      return named('width', oneOf(WIDTHS, text))
    case 's':
      return named('seed', wholeIn(text, MAX_SEED))
    case 'n':
      return named('steps', /^\d+$/.test(text) ? within(Number(text), STEPS_RANGE.min, STEPS_RANGE.max) : null)
    default:
      return null
  }
}

/** Parts that say nothing known are rejected and left at their defaults. */
export function parseStudy(text: string, reject: () => void): StudyControls {
  const { rotation: _, ...standard } = DEFAULT_ROTATION_CONTROLS
  let study: StudyControls = standard
  for (const part of text.split(',')) {
    const change = parsePart(part, study)
    if (change === null) reject()
    else study = { ...study, ...change }
  }
  return study
}
