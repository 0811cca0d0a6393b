/** The key `f5` of a link: what the Figure 5 view is set to. */
import { DEFAULT_LOOK, type Figure5Look } from './figure5'
import { decodePart, encodePart, optionalWhole } from './link-text'

const SUBJECT_LETTERS = { activations: 'x', weight: 'w', error: 'y' } as const

/** What differs from the defaults: `w,q,own,norm,c37`, `tNAME` for another tensor; empty when nothing does. */
export function formatLook(look: Figure5Look): string {
  const { subject, tensor, stage, axes, order, channel } = look
  return [
    ...(subject === 'weight' || subject === 'error' ? [SUBJECT_LETTERS[subject]] : []),
    ...(subject === 'tensor' ? [`t${encodePart(tensor ?? '')}`] : []),
    ...(stage === 'quantized' ? ['q'] : []),
    ...(axes === 'own' ? ['own'] : []),
    ...(order === 'norm' ? ['norm'] : []),
    ...(channel === null ? [] : [`c${channel}`]),
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
  if (part.startsWith('t')) return { subject: 'tensor', tensor: decodePart(part.slice(1)) || null }
  const channel = part.startsWith('c') ? optionalWhole(part.slice(1), Number.MAX_SAFE_INTEGER) : null
  return channel === null ? null : { channel }
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
