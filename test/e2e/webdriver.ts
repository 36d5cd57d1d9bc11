/** The key under which WebDriver names an element. */
const ELEMENT = 'element-6066-11e4-a52e-4f735466cecf';

/** A browser session of the W3C WebDriver protocol, https://www.w3.org/TR/webdriver2/. */
export class WebDriverSession {
  readonly #url: string;

  private constructor(url: string) {
    this.#url = url;
  }

  /** Starts a session of the driver at `url`. */
  static async start(url: string, capabilities: object): Promise<WebDriverSession> {
    const { sessionId } = await request<{ sessionId: string }>(`${url}/session`, 'POST', {
      capabilities: { alwaysMatch: capabilities },
    });
    return new WebDriverSession(`${url}/session/${sessionId}`);
  }

  navigate(url: string): Promise<void> {
    return this.#post('url', { url });
  }

  /** Evaluates an expression in the page, and awaits its value. */
  async evaluate<T>(expression: string): Promise<T> {
    const script = `
      const [done] = arguments;
      (async () => ${expression})().then((value) => done({ value }), (error) => done({ error: String(error) }));`;
    const { value, error } = await this.#post<{ value: T; error?: string }>('execute/async', { script, args: [] });
    if (error !== undefined) throw new Error(error);
    return value;
  }

  /** Types a text into an element; for a file input, the text is the paths of files, one per line. */
  async type(selector: string, text: string): Promise<void> {
    const { [ELEMENT]: id } = await this.#post<{ [ELEMENT]: string }>('element', {
      using: 'css selector',
      value: selector,
    });
    await this.#post(`element/${id}/value`, { text });
  }

  /** Presses keys one after another, given as the protocol's code points. */
  press(keys: readonly string[]): Promise<void> {
    const actions = keys.flatMap((value) => [
      { type: 'keyDown', value },
      { type: 'keyUp', value },
    ]);
    return this.#post('actions', { actions: [{ type: 'key', id: 'keyboard', actions }] });
  }

  /** Sets the size of the window, including its frame. */
  resize(width: number, height: number): Promise<void> {
    return this.#post('window/rect', { width, height });
  }

  end(): Promise<void> {
    return request(this.#url, 'DELETE');
  }

  #post<T = void>(path: string, body: object): Promise<T> {
    return request(`${this.#url}/${path}`, 'POST', body);
  }
}

async function request<T>(url: string, method: string, body?: object): Promise<T> {
  const response = await fetch(url, { method, ...(body && { body: JSON.stringify(body) }) });
  const { value } = await response.json();
  if (!response.ok) throw new Error(`${value.error}: ${value.message}`);
  return value;
}
