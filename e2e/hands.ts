import { readFileSync } from 'node:fs'
import type { Page } from '@playwright/test'
import { expect, repoFile } from './support'

/** One way to use the page. A name is the `data-test` of a control or of the text on it, or a selector in brackets. */
export interface Hands {
  /** Presses a button, a tab or one side of a switch. */
  press(name: string): Promise<void>
  /** Chooses an option of a menu by its words. */
  choose(name: string, option: string): Promise<void>
  /** Opens a file of the repository. */
  open(path: string): Promise<void>
}

const selectorOf = (name: string) => (name.startsWith('[') ? name : `[data-test="${name}"]`)

/** By mouse: clicks, and a file dropped on the page. */
export function mouse(page: Page): Hands {
  return {
    press: (name) => page.locator(selectorOf(name)).click(),
    choose: async (name, option) => {
      await page.getByTestId(name).selectOption({ label: option })
    },
    open: async (path) => {
      const data = await page.evaluateHandle(
        ({ bytes, name }) => {
          const transfer = new DataTransfer()
          transfer.items.add(new File([Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0))], name))
          return transfer
        },
        { bytes: readFileSync(repoFile(path)).toString('base64'), name: path.slice(path.lastIndexOf('/') + 1) },
      )
      for (const type of ['dragenter', 'dragover', 'drop']) {
        await page.getByTestId('drop').dispatchEvent(type, { dataTransfer: data })
      }
    },
  }
}

/** More stops than the page has: the Tab key comes round, from the last to the first and back. */
const STOPS = 400

/** By keys alone: every control is reached with Tab, and where the focus is must be seen on the way. */
export function keyboard(page: Page): Hands {
  /** Whether the focus is on what is called `name`; `group`: on another side of its switch, another row of its table; `tabs`. */
  const place = (name: string) =>
    page.evaluate((wanted) => {
      const focused = document.activeElement
      const target = document.querySelector(wanted)
      if (!focused || !target || focused === document.body) return { at: 'elsewhere', seen: true }
      const { outlineStyle, outlineWidth } = getComputedStyle(focused)
      const box = focused.getBoundingClientRect()
      // A radio button of a switch has no size: its label stands for it.
      const label = focused instanceof HTMLInputElement ? focused.labels?.[0] : undefined
      const shown = box.width <= 1 && label ? getComputedStyle(label) : { outlineStyle, outlineWidth }
      const seen = shown.outlineStyle !== 'none' && Number.parseFloat(shown.outlineWidth) >= 2
      const own = focused === target || (focused.matches('button, summary') && focused.contains(target))
      if (own || label?.contains(target)) return { at: 'target', seen }
      const radio = target.closest('label')?.htmlFor
      const side = radio ? document.getElementById(radio) : null
      const isSwitch =
        focused instanceof HTMLInputElement && side instanceof HTMLInputElement && focused.name === side.name
      const areRows = [focused, target].every((element) => element.hasAttribute('data-row-button'))
      const areTabs = [focused, target].every((element) => element.matches('#views li > button'))
      return { at: isSwitch || areRows ? 'group' : areTabs ? 'tabs' : 'elsewhere', seen, html: focused.outerHTML }
    }, selectorOf(name))

  async function reach(name: string): Promise<'target' | 'group' | 'tabs'> {
    const target = page.locator(selectorOf(name))
    await expect(target).toBeAttached()
    const isBefore = await target.evaluate(
      (element) =>
        (document.activeElement?.compareDocumentPosition(element) ?? 0) & Node.DOCUMENT_POSITION_PRECEDING &&
        document.activeElement !== document.body,
    )
    for (let stop = 0; stop < STOPS; stop++) {
      const { at, seen, html } = await place(name)
      if (stop > 0) expect(seen, `the focus is seen on ${html ?? name}`).toBe(true)
      if (at === 'target' || at === 'group' || at === 'tabs') return at
      await page.keyboard.press(isBefore ? 'Shift+Tab' : 'Tab')
    }
    throw new Error(`${name} is not reached by the Tab key`)
  }

  async function stepTo(name: string, key: 'ArrowDown' | 'ArrowRight'): Promise<void> {
    for (let step = 0; (await place(name)).at !== 'target'; step++) {
      if (step > STOPS) throw new Error(`${name} is not reached by the arrow keys`)
      await page.keyboard.press(key)
    }
  }

  return {
    press: async (name) => {
      const at = await reach(name)
      if (at !== 'target') await stepTo(name, at === 'tabs' ? 'ArrowRight' : 'ArrowDown')
      // A side of a switch is chosen by then, and stays so.
      await page.keyboard.press('Enter')
    },
    choose: async (name, option) => {
      await reach(name)
      await page.keyboard.type(option)
      await expect(page.getByTestId(name).locator('option:checked')).toHaveText(option)
    },
    open: async (path) => {
      const asked = page.waitForEvent('filechooser')
      // By its answer the browser knows that no dialog of its own is wanted.
      await page.evaluate(() => undefined)
      await page.keyboard.press('o')
      const chooser = await asked
      await chooser.setFiles(repoFile(path))
    },
  }
}
