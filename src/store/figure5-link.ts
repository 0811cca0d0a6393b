/** The key `f5` of a link: what the Figure 5 view is set to. */
import { DEFAULT_LOOK, type Figure5Look } from './figure5'
import { decodePart, encodePart } from './link-text'

const SUBJECT_LETTERS = { activations: 'x', weight: 'w', error: 'y' } as const

/** What differs from the defaults: `w,q,own,norm`, `tNAME` for another tensor; empty when nothing does. */
export function formatLook(look: Figure5Look): string {
  const { subject, tensor, stage, axes, order } = look
  return [
    ...(subject === 'weight' || subject === 'error' ? [SUBJECT_LETTERS[subject]] : []),
    ...(subject === 'tensor' ? [`t${encodePart(tensor ?? '')}`] : []),
    ...(stage === 'quantized' ? ['q'] : []),
    ...(axes === 'own' ? ['own'] : []),
    ...(order === 'norm' ? ['norm'] : []),
  ].join(',')
}

function parsePart(part: string): Partial<Figure5Look> | null {
  switch (part) {
    case 'w':
      return { subject: 'weight' }
    case 'y':
      return { subject: 'error' }
    case 'q':
      return { stage: 'quantized' }
    case 'own':
      return { axes: 'own' }
    case 'norm':
      return { order: 'norm' }
  }
  return part.startsWith('t') ? { subject: 'tensor', tensor: decodePart(part.slice(1)) || null } : null
}

/** Parts that say nothing known are rejected and left at their defaults. */
export function parseLook(text: string, reject: () => void): Figure5Look {
  let look = DEFAULT_LOOK
  for (const part of text.split(',')) {
    const change = parsePart(part)
    if (change === null) reject()
    else look = { ...look, ...change }
  }
  return look
}
