import { expect, test } from 'vitest'
import { logTicks } from '../../src/figures/log-ticks'

test('powers of ten over many decades, 1-2-5 over few', () => {
  expect(logTicks({ min: 0.8, max: 12_000 }).ticktext).toEqual(['1', '10', '100', '1k', '10k'])
  expect(logTicks({ min: 0.015, max: 0.3 }).ticktext).toEqual(['0.02', '0.05', '0.1', '0.2'])
})

test.each([
  [{ min: 0.068, max: 0.093 }, ['0.070', '0.075', '0.080', '0.085', '0.090']],
  [{ min: 0.0753, max: 0.0761 }, ['0.0754', '0.0756', '0.0758', '0.0760']],
  [{ min: 2.1, max: 2.9 }, ['2.2', '2.4', '2.6', '2.8']],
])('a narrow range %o still has readable ticks', (range, ticktext) => {
  const ticks = logTicks(range)
  expect(ticks.ticktext).toEqual(ticktext)
  expect(ticks.tickvals).toEqual(ticktext.map(Number))
})

test('where more ticks are asked for than 1-2-5 gives, mantissas between them, else even ones', () => {
  expect(logTicks({ min: 0.13, max: 1.6 }, 4).ticktext).toEqual(['0.15', '0.2', '0.3', '0.4', '0.5', '0.7', '1', '1.5'])
  expect(logTicks({ min: 1.9, max: 3.6 }, 4).ticktext).toEqual(['2.0', '2.5', '3.0', '3.5'])
  expect(logTicks({ min: 0.015, max: 0.3 }, 4).ticktext).toEqual(['0.02', '0.05', '0.1', '0.2'])
})
