import { ROWS_PER_CHANNEL } from '../gptq/notes'

/** What to be told about a transform with many parameters per channel; nothing where there are enough calibration rows. */
export function fewTokensNotes(tokens: number, channels: number): readonly string[] {
  if (tokens >= ROWS_PER_CHANNEL * channels) return []
  return [
    `${tokens} calibration rows for ${channels} channels: below ${ROWS_PER_CHANNEL} per channel what was learned fits its ` +
      'calibration rows better than others; judge it by the held-out error.',
  ]
}
