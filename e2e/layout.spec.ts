import type { Page } from '@playwright/test'
import { VIEWS } from '../src/store/views'
import { expect, test, waitForResults } from './support'

/** Phones down to the smallest, a tablet, a laptop, a large screen; the last is a laptop at 400 %. */
const SIZES = [
  [320, 640],
  [390, 844],
  [768, 1024],
  [1440, 900],
  [2560, 1440],
  [360, 225],
] as const

/** What the laptop shows without scrolling the page, and what of it must not lie on something else. */
const PARTS =
  'header, aside, footer, main nav, main article, [data-test="answer"], [data-test="conditions"], [data-test="panel-state"], [aria-label="Results"], [aria-label="Panes"]'

/** Everything that is wrong with where things lie, in words. */
async function layoutProblems(page: Page): Promise<string[]> {
  return page.evaluate((parts) => {
    const problems: string[] = []
    const { scrollWidth, scrollHeight } = document.documentElement
    if (scrollWidth > innerWidth) problems.push(`the page is ${scrollWidth} px wide`)
    if (scrollHeight > innerHeight) problems.push(`the page is ${scrollHeight} px high`)
    const isSeen = (element: Element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true })
    const nameOf = (element: Element) =>
      element.getAttribute('data-test') ?? element.getAttribute('aria-label') ?? element.tagName.toLowerCase()

    /** What of an element is in sight, once all that scrolls or cuts has been taken off. */
    const sight = (element: Element) => {
      let { left, top, right, bottom } = element.getBoundingClientRect()
      for (let at = element.parentElement; at; at = at.parentElement) {
        if (getComputedStyle(at).overflow === 'visible') continue
        const box = at.getBoundingClientRect()
        left = Math.max(left, box.left)
        top = Math.max(top, box.top)
        right = Math.min(right, box.right)
        bottom = Math.min(bottom, box.bottom)
      }
      return { element, left, top, right, bottom }
    }
    const boxes = [...document.querySelectorAll(parts)].filter(isSeen).map(sight)
    for (const [i, a] of boxes.entries()) {
      for (const b of boxes.slice(i + 1)) {
        if (a.element.contains(b.element) || b.element.contains(a.element)) continue
        const width = Math.min(a.right, b.right) - Math.max(a.left, b.left)
        const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top)
        if (width > 1 && height > 1) problems.push(`${nameOf(a.element)} lies on ${nameOf(b.element)}`)
      }
    }
    for (const button of document.querySelectorAll('button')) {
      if (!isSeen(button)) continue
      for (const each of [button, ...button.querySelectorAll<HTMLElement>('*')]) {
        // Heard, not seen.
        if (each.clientWidth <= 1) continue
        const { overflowX, textOverflow } = getComputedStyle(each)
        const cuts = overflowX !== 'visible' && textOverflow !== 'ellipsis'
        if (cuts && each.scrollWidth > each.clientWidth + 1) problems.push(`"${button.innerText}" is cut`)
      }
    }
    return problems
  }, PARTS)
}

test('every view fits every width: nothing sideways, nothing on top of another, no button cut', async ({ page }) => {
  await page.goto('/#m=rtn')
  await waitForResults(page, ['rtn'])
  const found: string[] = []
  for (const { id } of VIEWS) {
    await page.setViewportSize({ width: 1440, height: 900 })
    await page.getByTestId(`view-${id}`).click()
    await expect(page.getByTestId('view-area')).not.toContainText('Loading')
    // The study of the Rotation view goes on for a while and grows only inside its figures.
    if (id !== 'rotation')
      await expect(page.locator('body'), id).toHaveAttribute('data-state', 'ready', { timeout: 60_000 })
    for (const [width, height] of SIZES) {
      await page.setViewportSize({ width, height })
      const problems = await layoutProblems(page)
      found.push(...problems.map((problem) => `${id} at ${width} px: ${problem}`))
    }
  }
  expect(found).toEqual([])
})

test('a phone has the views in one menu, by what they are about', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 })
  await page.goto('/#m=rtn')
  const menu = page.getByTestId('view-menu')
  await expect(page.getByTestId('view-distribution')).toBeHidden()
  expect((await menu.boundingBox())?.height).toBeGreaterThanOrEqual(44)
  await menu.selectOption({ label: 'Formats' })
  await expect(page.getByTestId('panel-formats')).toBeVisible()
  expect(
    await menu.locator('optgroup').evaluateAll((groups) => groups.map((group) => group.getAttribute('label'))),
  ).toEqual(['Activations', 'Blocks', 'Error', 'Why'])
})
